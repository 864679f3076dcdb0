/* SPDX-License-Identifier: MIT */
#include "attribution/process_table.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "attribution/process_slots.h"
#include "attribution/procfs.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/proc_stat.h"

/* The kernel reports the end of a process before it closes its files; it reports the next process of that pid before that
 * one does anything. */
#define CLOSES_NS (500 * NS_PER_MS)

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

void process_table_free(struct process_table *t)
{
    struct pid_slot *s, *next;

    if (!t)
        return;
    HASH_ITER(hh, t->slots, s, next)
        process_slots_drop(t, s);
    free(t);
}

static int seed_one(void *data, pid_t pid)
{
    struct process_table *t = data;

    (void)process_slots_find_or_read(t, pid, UINT64_MAX);
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
            process_slots_set_parent(t, p, process_slots_living(t, p->parent_pid, UINT64_MAX));
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
        (void)process_slots_read_alive(t, s->pid, 0);
    process_unref(p);
}

/* None of the records fits: the fork was not reported, or not yet. */
static struct process *read_unknown(struct process_table *t, pid_t pid, uint64_t start_ns, uint64_t boot_ns)
{
    const struct process now = { .pid = pid, .start_ns = proc_stat_start_ns(t->proc, pid) };
    const struct process *known = process_slots_newest(t, pid);

    if (known && (!now.start_ns || process_same(known, &now)))
        return NULL; /* who has the pid now is known, and it is not the one */
    if (start_ns && !process_is(&now, pid, start_ns))
        return NULL;
    if (now.start_ns > boot_ns + 2 * EARLY_NS)
        return NULL; /* started after the event: the pid has been used again */
    return process_slots_read_alive(t, pid, 0);
}

/* The first that became this program soon after the event's stamp: the clock of the stamp was held. NULL: none. */
static struct process *find_stamped_early(const struct pid_slot *s, uint64_t boot_ns, uint64_t start_ns, struct bytes executable)
{
    struct process *found = NULL;

    for (const struct version *v = s ? s->newest : NULL; v && v->from_ns > boot_ns + EARLY_NS; v = v->older)
        if (v->from_ns <= boot_ns + EARLY_MOST_NS && bytes_equal(v->process->executable, executable) &&
            (!start_ns || !v->process->start_ns || process_is(v->process, s->pid, start_ns)))
            found = v->process;
    return found;
}

struct process *process_table_find(struct process_table *t, pid_t pid, uint64_t boot_ns,
                                   uint64_t start_ns, struct bytes executable)
{
    struct pid_slot *s = process_slots_find(t, pid);
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
    if (executable.len && (!best || (best->executable.len && !bytes_equal(best->executable, executable)))) {
        struct process *early = find_stamped_early(s, boot_ns, start_ns, executable);

        best = early ? early : best;
    }
    return best ? best : read_unknown(t, pid, start_ns, boot_ns);
}

struct process *process_table_find_between(struct process_table *t, pid_t pid, uint64_t from_ns,
                                           uint64_t to_ns, bool gone)
{
    struct pid_slot *s = process_slots_find(t, pid);
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
        process_slots_set_parent(t, p, process_slots_find_or_read(t, p->parent_pid, p->start_ns));
    (void)process_slots_push(t, process_ref(p), p->start_ns);
}

unsigned long process_table_cuts(const struct process_table *t)
{
    return t->cuts;
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
