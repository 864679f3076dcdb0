/* SPDX-License-Identifier: MIT */
#include "watch/early.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "engine/first_process.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/proc_stat.h"
#include "watch/objects.h"

#define NAME_COLUMNS 40 /* of a name in a text of bounded length */
#define MOMENT_NS NS_PER_S /* an engine that works reports a start within this time */

void early_take_view(struct instance *i, struct container_view *view)
{
    bool runs = view->running && view->container->pid > 0;

    if (!runs) {
        i->seen_pid = 0;
        container_view_done(view);
        return;
    }
    if (!i->cgroup || view->container->pid != i->seen_pid) {
        free(i->cgroup);
        i->cgroup = first_process_place(view->container->pid, view->container->id);
    }
    i->seen_pid = view->container->pid;
    container_view_done(&i->view);
    i->view = *view;
    *view = (struct container_view){ 0 };
}

void early_done(struct instance *i)
{
    container_view_done(&i->view);
    free(i->cgroup);
    i->cgroup = NULL;
    i->seen_pid = 0;
}

/* CLOCK_REALTIME; 0: it is gone. */
static uint64_t start_of(pid_t pid)
{
    uint64_t boot_ns = proc_stat_start_ns("/proc", pid);

    return boot_ns ? boot_ns + clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME) : 0;
}

/* Mounts that have no path on the host (tmpfs), and a root that is no overlay: not watched until the engine answers. */
static bool has_what_is_seen_inside_only(const struct place *places, size_t n)
{
    bool layered = false, merged = false;

    for (size_t k = 0; k < n; k++) {
        if (places[k].object.view == VIEW_VOLUME && places[k].object.ns_pid)
            return true;
        layered |= places[k].object.view == VIEW_UPPER;
        merged |= places[k].object.view == VIEW_MERGED;
    }
    return merged && !layered;
}

void early_report_gap(struct watchset *set, const struct instance *i, const struct container *c, const struct place *places, size_t n)
{
    uint64_t now = clock_ns(CLOCK_REALTIME), start = c->started_ns ? c->started_ns : start_of(c->pid), from;
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    if (!i->watch->since_ns || !start || c->pid == i->seen_pid || !has_what_is_seen_inside_only(places, n))
        return;
    from = MAX(start, i->watch->since_ns);
    if (from + MOMENT_NS >= now)
        return;
    sbuf_add_str(&text, "the mounts that only container ");
    escape_terminal_path(&text, c->name.len ? c->name : c->id, NAME_COLUMNS);
    sbuf_add_str(&text, " sees were not watched since it started: its engine was silent");
    set->options.gap(set->options.data, from, now, sbuf_str(&text));
}

/* The engine may not have reported the end of the life before either. */
static void begin_next_life(struct instance *i, uint64_t start_ns)
{
    if (!i->down_ns)
        i->down_ns = start_ns;
    if (!i->next_start_ns)
        i->next_start_ns = start_ns;
}

static bool is_there(pid_t pid)
{
    return pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}

bool early_look(struct watchset *set, struct instance *i)
{
    struct container_view next = i->view;
    struct place places[PLACES_MAX];
    struct arena arena = { 0 };
    pid_t pid = i->cgroup && !is_there(i->seen_pid) ? first_process_now(i->cgroup, i->view.upper) : 0;
    int n, r;

    if (pid <= 0 || pid == i->seen_pid)
        return false;
    next.container = container_copy(i->view.container); /* the view's other members are borrowed */
    if (!next.container)
        return false;
    begin_next_life(i, start_of(pid));
    next.running = true;
    next.container->pid = pid;
    next.container->started_ns = i->next_start_ns;
    n = resolve_container(&next, i->watch->target.path, &arena, places, PLACES_MAX);
    r = n < 0 ? n : objects_set(set, i, places, (size_t)n, NULL);
    if (r == 0) {
        early_report_gap(set, i, next.container, places, (size_t)n);
        i->seen_pid = pid;
    }
    container_unref(next.container);
    arena_done(&arena);
    return r == 0;
}
