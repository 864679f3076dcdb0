/* SPDX-License-Identifier: MIT */
#include "attribution/process_table.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <uthash.h>

#include "attribution/procfs.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/proc_stat.h"

/* An event's time may be early by a timer tick of the kernel (audit: ktime_get_coarse_real_ts64). */
#define EARLY_NS (10 * NS_PER_MS)
/* The kernel reports the end of a process before it closes its files; it reports the next process of that pid before that
 * one does anything. */
#define CLOSES_NS (500 * NS_PER_MS)

/* An event of a process that has ended arrives within so long: a sensor's queue, a container that is awaited. */
#define EXITED_NS (10 * NS_PER_S)

/* One record of a pid: a process, or what it became by an exec. */
struct version {
    struct version *older;
    struct process *process; /* owned reference */
    uint64_t from_ns;        /* CLOCK_BOOTTIME: start of the process, or time of the exec */
};

struct pid_slot {
    pid_t pid;
    struct version *newest;
    unsigned recheck;     /* checked against /proc at this count of table->recheck */
    bool exited;
    struct pid_slot *exited_older, *exited_newer;
    UT_hash_handle hh;
};

struct process_table {
    const char *proc;
    struct pid_slot *slots;
    struct pid_slot *asked;  /* what was looked for last, NULL: none; a storm is mostly one process's */
    unsigned long cuts;  /* chains of launchers that were cut */
    size_t exited_count;
    struct pid_slot *exited_first, *exited_last; /* in order of exit */
    unsigned recheck;
    size_t sweep_at; /* look for lost ends when the table has grown to this */
};

int process_table_new(const char *proc, struct process_table **ret, struct err *err)
{
    struct process_table *t = calloc(1, sizeof(*t));

    if (!t)
        return err_set(err, -ENOMEM, "process table");
    t->proc = proc;
    t->sweep_at = LIMIT_PROCESSES;
    *ret = t;
    return 0;
}

static void drop_versions(struct version *v)
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

static void drop_slot(struct process_table *t, struct pid_slot *s)
{
    unlink_exited(t, s);
    HASH_DEL(t->slots, s);
    if (t->asked == s)
        t->asked = NULL;
    drop_versions(s->newest);
    free(s);
}

void process_table_free(struct process_table *t)
{
    struct pid_slot *s, *next;

    if (!t)
        return;
    HASH_ITER(hh, t->slots, s, next)
        drop_slot(t, s);
    free(t);
}

static struct pid_slot *find_slot(struct process_table *t, pid_t pid)
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
    struct pid_slot *s = find_slot(t, pid);

    if (s)
        return s;
    s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->pid = pid;
    s->recheck = t->recheck;
    HASH_ADD(hh, t->slots, pid, sizeof(s->pid), s);
    return s;
}

#define NAMED_NS NS_PER_MS
#define CHANGED_SIZE 136 /* bytes: a name and a cgroup, what the record of an ordinary change has of its own */

/* How many records one pid may have: a process that does nothing but exec stays bounded. */
#define VERSIONS_MAX 8

/* Takes over the reference. */
static struct process *push(struct process_table *t, struct process *p, uint64_t from_ns)
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
            drop_versions(at->older);
            at->older = NULL;
        }
    return p;
}

/* How far a chain is followed for a link that may be cut. */
#define CHAIN_MAX (16 * LIMIT_LINEAGE)

/*
 * A daemon that is its own grandchild again and again must not make an endless chain. It is cut at
 * a process that has exited: a living one has other children, whose launchers somebody's deep nest
 * must not take away.
 */
static void set_parent(struct process_table *t, struct process *p, struct process *parent)
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

static struct process *newest(struct process_table *t, pid_t pid)
{
    struct pid_slot *s = find_slot(t, pid);

    return s && s->newest ? s->newest->process : NULL;
}

/* The same, if it had not ended by `boot_ns`: what comes later is of another process, whose fork
 * was not reported. */
static struct process *living(struct process_table *t, pid_t pid, uint64_t boot_ns)
{
    struct pid_slot *s = find_slot(t, pid);

    if (!s || !s->newest ||
        (s->exited && s->newest->process->exited_ns + EARLY_NS < boot_ns))
        return NULL;
    return s->newest->process;
}

/* Read a process that is alive, with its launchers as far as they are not known yet. */
/* A process that ends has left its cgroup for the root before it is gone from /proc: what is read then is
 * not where it lived. `from`: itself before, or who started it. */
static void distrust_root(struct process *p, const struct process *from)
{
    if (!from || from->cgroup.len <= 1 || !bytes_equal_str(p->cgroup, "/"))
        return;
    process_set(p, &p->cgroup, from->cgroup);
    p->cgroup_inherited = true;
}

static struct process *read_alive(struct process_table *t, pid_t pid, uint64_t from_ns)
{
    struct process *p = NULL, *known = newest(t, pid);
    struct pid_slot *s = find_slot(t, pid);
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
        set_parent(t, p, known->parent);
        p->parent_pid = known->parent_pid;
        p->start_ns = known->start_ns;
        distrust_root(p, known);
        process_set_earlier(p, known);
    } else if (p->parent_pid > 0) {
        set_parent(t, p, living(t, p->parent_pid, UINT64_MAX));
        distrust_root(p, p->parent);
    }
    return push(t, p, from_ns ? from_ns : start);
}

static struct process *find_or_read(struct process_table *t, pid_t pid, uint64_t boot_ns)
{
    struct process *known = living(t, pid, boot_ns);

    return known ? known : pid > 0 ? read_alive(t, pid, 0) : NULL;
}

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
    struct process *parent = find_or_read(t, e->parent_pid, e->boot_ns), *p;

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
        set_parent(t, p, parent);
    distrust_root(p, p->parent);
    (void)push(t, p, p->start_ns);
}

static bool same_ids(const struct credentials *a, const struct credentials *b)
{
    return a->uid == b->uid && a->euid == b->euid && a->suid == b->suid && a->fsuid == b->fsuid &&
           a->gid == b->gid && a->egid == b->egid && a->sgid == b->sgid && a->fsgid == b->fsgid;
}

/* execve() sets the name first, and the kernel reports that by itself: a moment later it turns out to be a part of the exec. */
static void forget_name_of_exec(struct process_table *t, const struct process *executed, uint64_t boot_ns)
{
    struct pid_slot *s = find_slot(t, executed->pid);
    struct version *v = s ? s->newest : NULL;

    if (!v || !v->older || v->from_ns + NAMED_NS < boot_ns || !bytes_equal(v->process->name, executed->name) ||
        !process_same(v->process, executed) || !process_same(v->older->process, executed) ||
        !bytes_equal(v->process->executable, v->older->process->executable) ||
        !same_ids(&v->process->cred, &v->older->process->cred))
        return;
    s->newest = v->older;
    v->older = NULL;
    drop_versions(v);
}

static void apply_exec(struct process_table *t, const struct process_event *e)
{
    struct process *before = living(t, e->pid, e->boot_ns), *p;

    if (e->captured) {
        p = process_ref(e->captured);
        if (before && !p->parent && process_same(before, p)) {
            /* the launcher as it was at the start: /proc shows a foster parent after a reparenting */
            set_parent(t, p, before->parent);
            p->parent_pid = before->parent_pid;
            p->start_ns = before->start_ns;
        } else if (!p->parent) {
            set_parent(t, p, find_or_read(t, p->parent_pid, e->boot_ns));
        }
        distrust_root(p, before && process_same(before, p) ? before : p->parent);
        forget_name_of_exec(t, p, e->boot_ns);
        before = living(t, e->pid, e->boot_ns);
        if (before && process_same(before, p))
            process_set_earlier(p, before);
        (void)push(t, p, e->boot_ns);
        return;
    }
    if (read_alive(t, e->pid, e->boot_ns))
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
        set_parent(t, p, before->parent);
        process_set_earlier(p, before);
    }
    (void)push(t, p, e->boot_ns);
}

/* A process that ends, or has not been placed yet, reads as in the root cgroup: distrust_root() */
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
    set_parent(t, p, known->parent);
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
    return push(t, p, from_ns);
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
    struct pid_slot *s = find_slot(t, e->pid);

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
        drop_slot(t, t->exited_first);
}

/* Name, ids and cgroup as they are now; the record that events hold stays as it was. */
static void apply_change(struct process_table *t, const struct process_event *e)
{
    struct process *known = living(t, e->pid, e->boot_ns), *now = NULL;
    const struct pid_slot *s = find_slot(t, e->pid);

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
            drop_slot(t, s);
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
        drop_slot(t, t->exited_first);
    else if (HASH_COUNT(t->slots) > t->sweep_at)
        sweep(t);
}

static int seed_one(void *data, pid_t pid)
{
    struct process_table *t = data;

    (void)find_or_read(t, pid, UINT64_MAX);
    return 0;
}

/* Pids of /proc come in rising order, parents mostly first; those that came before their parent are
 * linked now. */
static void link_parents(struct process_table *t)
{
    struct pid_slot *s, *next;

    HASH_ITER(hh, t->slots, s, next) {
        struct process *p = s->newest ? s->newest->process : NULL;

        if (p && !p->parent && p->parent_pid > 0)
            set_parent(t, p, living(t, p->parent_pid, UINT64_MAX));
    }
}

int process_table_seed(struct process_table *t, struct err *err)
{
    int r = procfs_each(t->proc, seed_one, t);

    if (r < 0)
        return err_set(err, r, "reading %s", t->proc);
    link_parents(t);
    return 0;
}

void process_table_recheck(struct process_table *t)
{
    t->recheck++;
}

/* Notifications were lost since this slot was last checked: is it still the same process and program? */
static void check_slot(struct process_table *t, struct pid_slot *s)
{
    struct process *known = s->newest ? s->newest->process : NULL, *p = NULL;

    s->recheck = t->recheck;
    if (s->exited || procfs_read(t->proc, s->pid, &p, NULL) < 0)
        return;
    if (!known || !process_same(known, p) || !bytes_equal(known->executable, p->executable))
        (void)read_alive(t, s->pid, 0);
    process_unref(p);
}

/* None of the records fits: the fork was not reported, or not yet. */
static struct process *read_unknown(struct process_table *t, pid_t pid, uint64_t start_ns, uint64_t boot_ns)
{
    const struct process now = { .pid = pid, .start_ns = proc_stat_start_ns(t->proc, pid) };
    const struct process *known = newest(t, pid);

    if (known && (!now.start_ns || process_same(known, &now)))
        return NULL; /* who has the pid now is known, and it is not the one */
    if (start_ns && !process_is(&now, pid, start_ns))
        return NULL;
    if (now.start_ns > boot_ns + 2 * EARLY_NS)
        return NULL; /* started after the event: the pid has been used again */
    return read_alive(t, pid, 0);
}

struct process *process_table_find(struct process_table *t, pid_t pid, uint64_t boot_ns,
                                   uint64_t start_ns, struct bytes executable)
{
    struct pid_slot *s = find_slot(t, pid);
    struct process *best = NULL;

    if (pid <= 0)
        return NULL;
    if (s && s->recheck != t->recheck)
        check_slot(t, s);
    if (boot_ns == 0)
        boot_ns = clock_ns(CLOCK_BOOTTIME);
    for (struct version *v = s ? s->newest : NULL; v; v = v->older) {
        if (start_ns && v->process->start_ns && !process_is(v->process, pid, start_ns))
            continue;
        /* an event later than the end of the process was made by another one of that pid */
        if (v->process->exited_ns && boot_ns > v->process->exited_ns + EARLY_NS)
            break;
        if (v->from_ns > boot_ns + EARLY_NS)
            continue;
        if (!best)
            best = v->process;
        if (!executable.len || !v->process->executable.len ||
            bytes_equal(v->process->executable, executable)) {
            best = v->process;
            break;
        }
        if (v->from_ns + EARLY_NS < boot_ns)
            break; /* it was this program for certain */
    }
    return best ? best : read_unknown(t, pid, start_ns, boot_ns);
}

struct process *process_table_find_between(struct process_table *t, pid_t pid, uint64_t from_ns,
                                           uint64_t to_ns, bool gone)
{
    struct pid_slot *s = find_slot(t, pid);
    struct process *alive = NULL;

    if (pid <= 0)
        return NULL;
    if (s && s->recheck != t->recheck)
        check_slot(t, s);
    for (struct version *v = s ? s->newest : NULL; v; v = v->older) {
        struct process *p = v->process;

        if (v->from_ns > to_ns)
            continue;
        if (p->exited_ns && p->exited_ns + CLOSES_NS < from_ns)
            break;
        if (!gone || p->exited_ns)
            return p;
        /* the notification of its end may be under way; if an older one ended in the span, it is that one */
        if (!alive)
            alive = p;
    }
    if (alive)
        return alive;
    /* what /proc has now is whom we mean only if nobody has ended in between */
    return gone ? NULL : read_unknown(t, pid, 0, to_ns);
}

void process_table_add(struct process_table *t, struct process *p)
{
    if (!p->parent && p->parent_pid > 0)
        set_parent(t, p, find_or_read(t, p->parent_pid, p->start_ns));
    (void)push(t, process_ref(p), p->start_ns);
}

unsigned long process_table_cuts(const struct process_table *t)
{
    return t->cuts;
}

size_t process_table_count(const struct process_table *t)
{
    return HASH_COUNT(t->slots);
}

int process_table_each(struct process_table *t, int (*each)(void *data, struct process *p),
                       void *data)
{
    struct pid_slot *s, *next;

    HASH_ITER(hh, t->slots, s, next) {
        int r = s->newest && !s->exited ? each(data, s->newest->process) : 0;

        if (r)
            return r;
    }
    return 0;
}

int process_table_each_recent(struct process_table *t, int (*each)(void *data, struct process *p), void *data)
{
    struct pid_slot *s, *next;

    HASH_ITER(hh, t->slots, s, next) {
        int r = s->newest ? each(data, s->newest->process) : 0;

        if (r)
            return r;
    }
    return 0;
}
