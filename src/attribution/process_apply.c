/* SPDX-License-Identifier: MIT */
/* What a tracker reports, put into the table: processes are born, execute, change and end. */
#include "attribution/process_table.h"

#include <errno.h>
#include <time.h>

#include "attribution/process_slots.h"
#include "attribution/procfs.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/proc_stat.h"

/* An event of a process that has ended arrives within so long: a sensor's queue, a container that is awaited. */
#define EXITED_NS (10 * NS_PER_S)
#define NAMED_NS NS_PER_MS
#define CHANGED_SIZE 136 /* bytes: a name and a cgroup, what the record of an ordinary change has of its own */

static void copy_facts(struct process *to, struct process *from)
{
    process_set_likeness(to, from);
    process_set(to, &to->name, from->name);
    process_set(to, &to->tty, from->tty);
    to->cred = from->cred;
    to->login_uid = from->login_uid;
    to->session = from->session;
    process_set(to, &to->cgroup, from->cgroup);
    to->mnt_ns = from->mnt_ns;
}

static void apply_fork(struct process_table *t, const struct process_event *e)
{
    struct process *parent = process_slots_find_or_read(t, e->parent_pid, e->boot_ns), *p;

    if (e->captured) {
        p = process_ref(e->captured);
        if (parent && !p->executable.len)
            process_set_likeness(p, parent);
    } else {
        /* a child is its parent's likeness until it executes something else */
        p = process_new(e->pid, e->start_ns ? e->start_ns : e->boot_ns);
        if (!p)
            return;
        if (parent)
            copy_facts(p, parent);
        p->cgroup_inherited = true;
    }
    p->parent_pid = e->parent_pid;
    if (!p->parent)
        process_slots_set_parent(t, p, parent);
    process_distrust_root(p, p->parent);
    (void)process_slots_push(t, p, p->start_ns);
}

static bool same_ids(const struct credentials *a, const struct credentials *b)
{
    return a->uid == b->uid && a->euid == b->euid && a->suid == b->suid && a->fsuid == b->fsuid &&
           a->gid == b->gid && a->egid == b->egid && a->sgid == b->sgid && a->fsgid == b->fsgid;
}

/* execve() sets the name first, and the kernel reports that by itself: a moment later it turns out to be a part of the exec. */
static void forget_name_of_exec(struct process_table *t, const struct process *executed, uint64_t boot_ns)
{
    struct pid_slot *s = process_slots_find(t, executed->pid);
    struct version *v = s ? s->newest : NULL;

    if (!v || !v->older || v->from_ns + NAMED_NS < boot_ns || !bytes_equal(v->process->name, executed->name) ||
        !process_same(v->process, executed) || !process_same(v->older->process, executed) ||
        !bytes_equal(v->process->executable, v->older->process->executable) ||
        !same_ids(&v->process->cred, &v->older->process->cred))
        return;
    s->newest = v->older;
    v->older = NULL;
    process_slot_drop_versions(v);
}

static void apply_exec(struct process_table *t, const struct process_event *e)
{
    struct process *before = process_slots_living(t, e->pid, e->boot_ns), *p;

    if (e->captured) {
        p = process_ref(e->captured);
        if (before && !p->parent && process_same(before, p)) {
            /* the launcher as it was at the start: /proc shows a foster parent after a reparenting */
            process_slots_set_parent(t, p, before->parent);
            p->parent_pid = before->parent_pid;
            p->start_ns = before->start_ns;
        } else if (!p->parent) {
            process_slots_set_parent(t, p, process_slots_find_or_read(t, p->parent_pid, e->boot_ns));
        }
        process_distrust_root(p, before && process_same(before, p) ? before : p->parent);
        forget_name_of_exec(t, p, e->boot_ns);
        before = process_slots_living(t, e->pid, e->boot_ns);
        if (before && process_same(before, p))
            process_set_earlier(p, before);
        (void)process_slots_push(t, p, e->boot_ns);
        return;
    }
    if (process_slots_read_alive(t, e->pid, e->boot_ns))
        return;
    /* Gone already: we know that it executes something else now, not what. The old likeness would
     * be the wrong culprit. */
    p = process_new(e->pid, before ? before->start_ns : 0);
    if (!p)
        return;
    if (before) {
        p->cred = before->cred;
        p->login_uid = before->login_uid;
        p->session = before->session;
        p->mnt_ns = before->mnt_ns;
        process_set(p, &p->cgroup, before->cgroup);
        p->cgroup_inherited = true;
        process_set(p, &p->working_directory, before->working_directory);
        process_set(p, &p->tty, before->tty);
        p->parent_pid = before->parent_pid;
        process_slots_set_parent(t, p, before->parent);
        process_set_earlier(p, before);
    }
    (void)process_slots_push(t, p, e->boot_ns);
}

/* A process that ends, or has not been placed yet, reads as in the root cgroup: process_distrust_root() */
static bool is_new_cgroup(const struct process *known, const struct process *now)
{
    return now->cgroup.len && !(known->cgroup.len > 1 && bytes_equal_str(now->cgroup, "/"));
}

/* A copy of what is known with what has changed; the record that events hold stays as it was. */
static struct process *changed(struct process_table *t, struct process *known,
                               const struct process *now, uint64_t from_ns)
{
    struct process *p = process_new(known->pid, known->start_ns);

    if (!p)
        return NULL;
    p->arena.first_size = CHANGED_SIZE;
    copy_facts(p, known);
    p->parent_pid = known->parent_pid;
    process_slots_set_parent(t, p, known->parent);
    p->earlier = process_ref(known->earlier);
    process_set_launch(p, known);
    p->cgroup_inherited = known->cgroup_inherited;
    p->cred = now->cred;
    p->login_uid = now->login_uid;
    p->session = now->session;
    p->mnt_ns = now->mnt_ns ? now->mnt_ns : known->mnt_ns;
    process_set(p, &p->name, now->name);
    if (is_new_cgroup(known, now)) {
        process_set(p, &p->cgroup, now->cgroup);
        p->cgroup_inherited = false;
    }
    return process_slots_push(t, p, from_ns);
}

/* A runtime moves its container into one cgroup after the other, of which one is of interest. */
static bool is_change(const struct process *known, const struct process *now)
{
    return !same_ids(&known->cred, &now->cred) || known->login_uid != now->login_uid ||
           known->session != now->session || (now->mnt_ns && known->mnt_ns != now->mnt_ns) ||
           !bytes_equal(known->name, now->name) ||
           (is_new_cgroup(known, now) && (known->cgroup_inherited || !bytes_equal(known->cgroup, now->cgroup)));
}

/* Its ids at the end are not those it is known by, and no notification said when they changed: then those that
 * it had in between are unknown. */
static void check_ids(struct process_table *t, const struct pid_slot *s, const struct process *end)
{
    struct process *known = s->newest->process, *p;

    if (!known->cred.known || !process_same(known, end) || same_ids(&known->cred, &end->cred))
        return;
    p = changed(t, known, end, s->newest->from_ns);
    if (p)
        p->cred.known = false;
}

static void apply_exit(struct process_table *t, const struct process_event *e)
{
    struct pid_slot *s = process_slots_find(t, e->pid);

    if (!s || !s->newest || s->exited)
        return;
    if (e->captured)
        check_ids(t, s, e->captured);
    for (struct version *v = s->newest; v; v = v->older)
        if (v->process->exited_ns == 0 && process_same(v->process, s->newest->process))
            v->process->exited_ns = e->boot_ns;
    s->newest->process->exited_ns = e->boot_ns;
    s->exited = true;
    s->exited_older = t->exited_last;
    s->exited_newer = NULL;
    if (t->exited_last)
        t->exited_last->exited_newer = s;
    else
        t->exited_first = s;
    t->exited_last = s;
    t->exited_count++;
    while (t->exited_count > LIMIT_EXITED ||
           t->exited_first->newest->process->exited_ns + EXITED_NS < e->boot_ns)
        process_slots_drop(t, t->exited_first);
}

/* Name, ids and cgroup as they are now; the record that events hold stays as it was. */
static void apply_change(struct process_table *t, const struct process_event *e)
{
    struct process *known = process_slots_living(t, e->pid, e->boot_ns), *now = NULL;
    const struct pid_slot *s = process_slots_find(t, e->pid);

    if (!known)
        return;
    if (e->captured) {
        if (process_same(known, e->captured) && is_change(known, e->captured))
            (void)changed(t, known, e->captured, e->boot_ns);
        return;
    }
    /* What came later was captured with its own name and ids already. */
    if (s->newest->from_ns > e->boot_ns || procfs_read(t->proc, e->pid, &now, NULL) < 0)
        return;
    /* An executable that differs is another exec, reported next; one that is missing is the end: memory and
     * paths are gone already, name and ids are not. */
    if (process_same(known, now) &&
        (!now->executable.len || bytes_equal(now->executable, known->executable)))
        (void)changed(t, known, now, e->boot_ns);
    process_unref(now);
}

static bool is_gone(struct process_table *t, const struct pid_slot *s)
{
    const struct process *known = s->newest ? s->newest->process : NULL;
    uint64_t start_ns = proc_stat_start_ns(t->proc, s->pid);

    if (!start_ns)
        return procfs_tgid(t->proc, s->pid) == 0;
    return known && known->start_ns && !process_is(known, s->pid, start_ns);
}

/* Processes whose end was not reported: the oldest that are not in /proc are forgotten. Where all of them live,
 * the table may be larger than its limit, and is not searched again before it has grown. */
static void sweep(struct process_table *t)
{
    struct pid_slot *s, *next;

    HASH_ITER(hh, t->slots, s, next) { /* in order of insertion */
        if (HASH_COUNT(t->slots) <= LIMIT_PROCESSES / 8 * 7)
            break;
        if (is_gone(t, s))
            process_slots_drop(t, s);
    }
    t->sweep_at = MAX((size_t)LIMIT_PROCESSES, HASH_COUNT(t->slots) + (size_t)LIMIT_PROCESSES / 8);
}

void process_table_apply(struct process_table *t, const struct process_event *event)
{
    switch (event->kind) {
    case PROCESS_FORK:
        apply_fork(t, event);
        break;
    case PROCESS_EXEC:
        apply_exec(t, event);
        break;
    case PROCESS_EXIT:
        apply_exit(t, event);
        break;
    case PROCESS_CRED:
    case PROCESS_COMM:
    case PROCESS_CGROUP:
        apply_change(t, event);
        break;
    }
    if (HASH_COUNT(t->slots) > LIMIT_PROCESSES && t->exited_first)
        process_slots_drop(t, t->exited_first);
    else if (HASH_COUNT(t->slots) > t->sweep_at)
        sweep(t);
}
