/* SPDX-License-Identifier: MIT */
#include "daemon/pipeline_stages.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attribution/share.h"
#include "daemon/pipeline_copies.h"
#include "foreign/foreign.h"
#include "util/clock.h"

void pipeline_on_process(void *data, const struct process_event *event)
{
    struct pipeline *p = data;

    attribution_process_event(p->attribution, event);
    if (p->watches && event->kind == PROCESS_EXEC && event->captured && event->captured->cgroup.len)
        watchset_process(p->watches, event->captured->cgroup);
}

void pipeline_on_gap(void *data, const struct gap *gap)
{
    struct pipeline *p = data;

    if (gap->reason == LOST_PROCESS_EVENTS)
        attribution_recheck(p->attribution);
    if (p->case_)
        (void)case_add_gap(p->case_, gap);
    if (p->store)
        (void)store_add_gap(p->store, gap);
    if (p->options.gap)
        p->options.gap(p->options.data, gap);
}

void pipeline_note_fault(struct pipeline *p, enum lost reason, const char *name, unsigned sensor, const char *text)
{
    struct gap gap;

    if (!faults_note(&p->faults, reason, name, sensor, text, clock_ns(CLOCK_REALTIME), &gap))
        return;
    if (reason != LOST_ENGINE) /* engines say that themselves, with why */
        log_warn(p->options.log, "%s; going on, and trying again", gap.text);
    pipeline_on_gap(p, &gap);
}

void pipeline_end_faults(struct pipeline *p, bool all)
{
    const char *name;
    struct gap gap;

    while (faults_end(&p->faults, all, clock_ns(CLOCK_REALTIME), &gap, &name)) {
        if (gap.reason != LOST_ENGINE && !all)
            log_warn(p->options.log, "%s works again", name);
        pipeline_on_gap(p, &gap);
    }
}

/* What our own reader opens: it changes nothing, so that only a watch of reads sees it. */
static bool is_own_read(const struct pipeline *p, const struct event *e)
{
    const struct process *process = e->actor.process;

    pid_t parent = process ? process->parent_pid : e->actor.parent_pid;

    return copies_keeper_is(p->copies, parent) || foreign_is_ours(e->actor.pid, parent);
}

static void find_actor(struct pipeline *p, struct event *event)
{
    if (p->follower && !attribution_knows(p->attribution, event))
        follower_dispatch(p->follower);
    attribution_event(p->attribution, event);
    attribution_share(p->attribution, event);
}

/* All observations of the change are in: find the actor, and emit the event. */
void pipeline_deliver(void *data, struct event *event)
{
    struct pipeline *p = data;
    enum filter_result result;

    find_actor(p, event);
    if (is_own_read(p, event)) {
        event_free(event);
        return;
    }
    if (p->copies)
        copies_keeper_event(p->copies, event);
    event->sequence = ++p->sequence;
    p->newest_event_ns = MAX(p->newest_event_ns, event->time_ns);
    p->last_event_ns = clock_ns(CLOCK_REALTIME);
    result = p->options.filter ? filter_event(p->options.filter, event) : FILTER_MATCHES;
    if (p->case_ && result == FILTER_MATCHES)
        (void)case_add_event(p->case_, event);
    else if (p->case_)
        case_leave_out_event(p->case_, result, event);
    if (p->store)
        (void)store_add_event(p->store, event);
    if (p->options.event && result == FILTER_MATCHES)
        p->options.event(p->options.data, event);
    event_free(event);
}

/*
 * It waits for other sensors' observations: as it is known now it is kept for whoever finds the store after kill -9. Who it was
 * is found for a copy, since the other observation may know it better.
 */
void pipeline_expect(void *data, struct event *event, uint64_t number)
{
    struct pipeline *p = data;
    struct event *now;

    if (!p->store)
        return;
    now = event_new();
    if (!now)
        return;
    *now = *event;
    now->arena = (struct arena){ 0 };
    now->lent = NULL;
    now->cause = (struct cause){ 0 };
    now->actor.process = process_ref(event->actor.process);
    now->victim = container_ref(event->victim);
    find_actor(p, now);
    if (!is_own_read(p, now))
        store_expect_event(p->store, now, number);
    event->spooled = now->spooled;
    event_free(now);
}

/* The event has left its sensor: whose file is it? */
void pipeline_on_event(void *data, struct event *event)
{
    struct pipeline *p = data;

    if (watchset_is_waiting(p->watches) &&
        clock_ns(CLOCK_MONOTONIC) - p->last_engine_wait_ns > ENGINE_WAIT_MS * NS_PER_MS) {
        /* the container is starting: what the engine says decides whose file this is, since when */
        p->last_engine_wait_ns = clock_ns(CLOCK_MONOTONIC);
        (void)engines_sync(p->engines, ENGINE_WAIT_MS, NULL);
    }
    if (!watchset_event(p->watches, event)) {
        event_free(event);
        return;
    }
    if (p->fuse)
        fuse_add(p->fuse, event, clock_ns(CLOCK_MONOTONIC));
    else
        pipeline_deliver(p, event);
}

void pipeline_on_life(void *data, const struct lifecycle_event *life)
{
    struct pipeline *p = data;
    bool ours;

    if (!p->watches) /* while we start: targets are looked up after this */
        return;
    if (p->options.container && (life->kind == LIFECYCLE_CREATE || life->kind == LIFECYCLE_START))
        p->options.container(p->options.data, life->container);
    ours = watchset_concerns(p->watches, life->container);
    watchset_life(p->watches, life);
    if (!ours)
        return;
    if (p->case_)
        (void)case_add_life(p->case_, life);
    if (p->store)
        (void)store_add_life(p->store, life);
    if (p->options.life)
        p->options.life(p->options.data, life);
}

/* Its mount namespace ended while it was looked at: nothing is watched by it. */
static bool has_ended(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* Linux 5.3 */
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    bool ended = fd < 0 ? errno == ESRCH : poll(&pollfd, 1, 0) > 0;

    if (fd >= 0)
        close(fd);
    return ended;
}

void pipeline_remove_object(void *data, uint32_t object_id)
{
    struct pipeline *p = data;

    for (size_t i = 0; i < p->sensor_count; i++)
        (void)p->sensors[i].ops->unwatch(p->sensors[i].sensor, object_id, NULL);
}

int pipeline_add_object(void *data, const struct watch_object *object, struct err *err)
{
    struct pipeline *p = data;
    int works = 0, first_error = 0;

    for (size_t i = 0; i < p->sensor_count; i++) {
        struct err why = ERR_INIT;
        int r = p->sensors[i].ops->watch(p->sensors[i].sensor, object, &why);

        if (r >= 0) {
            works++;
            continue;
        }
        if (first_error == 0) {
            first_error = r;
            err_say(err, r, "%s: %s", p->sensors[i].ops->name, err_text(&why, r));
        }
    }
    if (object->ns_pid && has_ended(object->ns_pid)) {
        pipeline_remove_object(p, object->id);
        return err_say(err, -ESRCH, "the container has ended");
    }
    if (works)
        pipeline_copy_object(p, object);
    if (works)
        return 0;
    return first_error ? first_error : -ENODEV;
}

void pipeline_set_window(void *data, bool on)
{
    struct pipeline *p = data;

    for (size_t i = 0; i < p->sensor_count; i++) {
        struct err err = ERR_INIT;
        int r;

        if (!p->sensors[i].ops->window)
            continue;
        r = p->sensors[i].ops->window(p->sensors[i].sensor, on, &err);
        if (r < 0)
            log_warn(p->options.log, "%s: %s; the first moments of a container may be missed",
                     p->sensors[i].ops->name, err_text(&err, r));
    }
}

void pipeline_on_unwatched(void *data, uint64_t from_ns, uint64_t to_ns, const char *text)
{
    struct gap gap = { .reason = LOST_WATCH_WINDOW, .from_ns = from_ns, .to_ns = to_ns };

    snprintf(gap.text, sizeof(gap.text), "%s", text);
    pipeline_on_gap(data, &gap);
}

void pipeline_on_notice(void *data, const char *text)
{
    struct pipeline *p = data;

    if (p->options.notice)
        p->options.notice(p->options.data, text);
}

void pipeline_on_explain(void *data, enum watch_explanation why, uint64_t time_ns, uint64_t files,
                       struct bytes detail)
{
    static const enum explanation explanations[] = {
        [WATCH_RECREATED] = EXPLANATION_RECREATED,
        [WATCH_REMOVED] = EXPLANATION_REMOVED,
        [WATCH_TMPFS_EMPTIED] = EXPLANATION_TMPFS,
        [WATCH_MOUNTED] = EXPLANATION_MOUNTED,
        [WATCH_MISSING] = EXPLANATION_BEFORE,
    };
    struct pipeline *p = data;

    if (p->case_)
        (void)case_add_explanation(p->case_, explanations[why], time_ns, files, detail);
    if (p->options.explain)
        p->options.explain(p->options.data, explanations[why], time_ns, files, detail);
}
