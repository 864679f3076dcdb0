/* SPDX-License-Identifier: MIT */
#include "attribution/process_slots.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "attribution/procfs.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/proc_stat.h"

/* How many records one pid may have: a process that does nothing but exec stays bounded. */
#define VERSIONS_MAX 8
/* How far a chain is followed for a link that may be cut. */
#define CHAIN_MAX (16 * LIMIT_LINEAGE)

void process_slot_drop_versions(struct version *v)
{
    while (v) {
        struct version *older = v->older;

        process_unref(v->process);
        free(v);
        v = older;
    }
}

static void unlink_exited(struct process_table *t, struct pid_slot *s)
{
    if (!s->exited)
        return;
    if (s->exited_older)
        s->exited_older->exited_newer = s->exited_newer;
    else
        t->exited_first = s->exited_newer;
    if (s->exited_newer)
        s->exited_newer->exited_older = s->exited_older;
    else
        t->exited_last = s->exited_older;
    s->exited_older = s->exited_newer = NULL;
    s->exited = false;
    t->exited_count--;
}

void process_slots_drop(struct process_table *t, struct pid_slot *s)
{
    unlink_exited(t, s);
    HASH_DEL(t->slots, s);
    if (t->asked == s)
        t->asked = NULL;
    process_slot_drop_versions(s->newest);
    free(s);
}

struct pid_slot *process_slots_find(struct process_table *t, pid_t pid)
{
    struct pid_slot *s = t->asked;

    if (s && s->pid == pid)
        return s;
    HASH_FIND(hh, t->slots, &pid, sizeof(pid), s);
    if (s)
        t->asked = s;
    return s;
}

static struct pid_slot *make_slot(struct process_table *t, pid_t pid)
{
    struct pid_slot *s = process_slots_find(t, pid);

    if (s)
        return s;
    s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->pid = pid;
    s->recheck = t->recheck;
    HASH_ADD(hh, t->slots, pid, sizeof(s->pid), s);
    HASH_FREE_IF_OUT(hh, s);
    return s;
}

struct process *process_slots_push(struct process_table *t, struct process *p, uint64_t from_ns)
{
    struct pid_slot *s = make_slot(t, p->pid);
    struct version *v = calloc(1, sizeof(*v)), *at;
    unsigned n = 1;

    if (!s || !v) {
        free(v);
        process_unref(p);
        return NULL;
    }
    unlink_exited(t, s);
    *v = (struct version){ s->newest, p, from_ns };
    s->newest = v;
    for (at = v; at; at = at->older)
        if (++n > VERSIONS_MAX) {
            process_slot_drop_versions(at->older);
            at->older = NULL;
        }
    return p;
}

/*
 * A daemon that is its own grandchild again and again must not make an endless chain. It is cut at
 * a process that has exited: a living one has other children, whose launchers somebody's deep nest
 * must not take away.
 */
void process_slots_set_parent(struct process_table *t, struct process *p, struct process *parent)
{
    struct process *at = parent;

    if (!parent || p == parent)
        return;
    p->parent = process_ref(parent);
    for (unsigned depth = 1; at && depth < CHAIN_MAX; depth++) {
        if (depth >= LIMIT_LINEAGE && at->exited_ns)
            break;
        at = at->parent;
    }
    if (at && at->parent) {
        process_unref(TAKE_PTR(at->parent));
        t->cuts++;
    }
}

struct process *process_slots_newest(struct process_table *t, pid_t pid)
{
    struct pid_slot *s = process_slots_find(t, pid);

    return s && s->newest ? s->newest->process : NULL;
}

/* The same, if it had not ended by `boot_ns`: what comes later is of another process, whose fork
 * was not reported. */
struct process *process_slots_living(struct process_table *t, pid_t pid, uint64_t boot_ns)
{
    struct pid_slot *s = process_slots_find(t, pid);

    if (!s || !s->newest ||
        (s->exited && s->newest->process->exited_ns + EARLY_NS < boot_ns))
        return NULL;
    return s->newest->process;
}

/* A process that ends has left its cgroup for the root before it is gone from /proc: what is read then is
 * not where it lived. `from`: itself before, or who started it. */
void process_distrust_root(struct process *p, const struct process *from)
{
    if (!from || from->cgroup.len <= 1 || !bytes_equal_str(p->cgroup, "/"))
        return;
    process_set(p, &p->cgroup, from->cgroup);
    p->cgroup_inherited = true;
}

/* Read a process that is alive, with its launchers as far as they are not known yet. */
struct process *process_slots_read_alive(struct process_table *t, pid_t pid, uint64_t from_ns)
{
    struct process *p = NULL, *known = process_slots_newest(t, pid);
    struct pid_slot *s = process_slots_find(t, pid);
    uint64_t start;

    if (procfs_read(t->proc, pid, &p, NULL) < 0)
        return NULL;
    if (known && s->exited && process_same(known, p)) {
        process_unref(p); /* a zombie: its record is better than what is left of it */
        return NULL;
    }
    start = p->start_ns;
    if (known && process_same(known, p)) {
        /* the launcher as it was at the start: /proc shows a foster parent after a reparenting */
        process_slots_set_parent(t, p, known->parent);
        p->parent_pid = known->parent_pid;
        p->start_ns = known->start_ns;
        process_distrust_root(p, known);
        process_set_earlier(p, known);
    } else if (p->parent_pid > 0) {
        process_slots_set_parent(t, p, process_slots_living(t, p->parent_pid, UINT64_MAX));
        process_distrust_root(p, p->parent);
    }
    return process_slots_push(t, p, from_ns ? from_ns : start);
}

struct process *process_slots_find_or_read(struct process_table *t, pid_t pid, uint64_t boot_ns)
{
    struct process *known = process_slots_living(t, pid, boot_ns);

    return known ? known : pid > 0 ? process_slots_read_alive(t, pid, 0) : NULL;
}
