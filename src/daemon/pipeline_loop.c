/* SPDX-License-Identifier: MIT */
#include "daemon/pipeline_loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "daemon/pipeline_copies.h"
#include "daemon/pipeline_coverage.h"
#include "daemon/pipeline_sensors.h"
#include "daemon/pipeline_sources.h"
#include "daemon/pipeline_stages.h"
#include "util/clock.h"
#include "util/memory.h"
#include "watch/change.h"
#include "watch/led.h"

#define TRIM_NS (60 * NS_PER_S) /* so often unused memory goes back to the kernel */
#define TICK_MS 100          /* time-outs of sensors and the fold are checked so often */
#define BPF_TICK_MS 40       /* its rings wake nobody before they fill up: what waits in them would be lost with a kill -9 */
#define FUSE_TICK_MS 25      /* while an event waits for another sensor's observation: silent for so long, all have delivered theirs */
#define BACKOFF_US 1000         /* under load: what comes in this time is read in one go, if no sensor says otherwise */
#define BUSY_WAKES 20        /* wakes without a pause between: it is a load */
#define POLL_NS NS_PER_S     /* what is waited for is looked for so often */
#define SEEN_NS (20 * NS_PER_MS) /* the store learns so often how far everything was seen */
#define SETTLED_NS (300 * NS_PER_MS) /* so long after it was read an event is emitted, but for audit's */
#define SETTLED_AUDIT_NS NS_PER_S
#define FLOWING_NS NS_PER_S       /* events come, if the last one is not older */
#define HELD_NS (100 * NS_PER_MS) /* sensors hold an event until those that belong to it have come */

/* What the path leads to now is watched from here on. */
static void follow_link(struct pipeline *p)
{
    struct gap gap = { .reason = LOST_WATCH_WINDOW };

    if (!watchset_poll_links(p->watches, &gap.from_ns))
        return;
    gap.to_ns = clock_ns(CLOCK_REALTIME);
    snprintf(gap.text, sizeof(gap.text),
             "a link on the way to a watched path was changed: what was done where it leads until that was watched");
    pipeline_on_gap(p, &gap);
}

/* All that the kernel had when this turn began has come. */
static bool is_all_read(const struct pipeline *p)
{
    for (size_t i = 0; i < p->sensor_count; i++) {
        const struct open_sensor *s = &p->sensors[i];
        struct pollfd fd = { .fd = s->fd, .events = POLLIN };

        if (s->ops->is_read ? !s->ops->is_read(s->sensor) : poll(&fd, 1, 0) > 0)
            return false;
    }
    return true;
}

static void on_silent_engine(void *data, const char *name)
{
    pipeline_note_fault(data, LOST_ENGINE, name, 0, "does not answer; containers that start meanwhile may not be known");
}

void pipeline_dispatch(struct pipeline *p)
{
    struct err err = ERR_INIT;
    int r;

    /* engines first: who is who; then processes: who lives; then what they did */
    if (engines_dispatch(p->engines, NULL) > 0)
        watchset_poll(p->watches); /* an engine that was late has answered */
    pipeline_follow_fd(p, SOURCE_ENGINES, NULL, &p->engines_fd, engines_fd(p->engines));
    if (p->follower)
        follower_dispatch(p->follower);
    watchset_look_for_new_lives(p->watches);
    for (size_t i = 0; i < p->sensor_count; i++) {
        struct open_sensor *s = &p->sensors[i];

        r = s->ops->dispatch(s->sensor, &err);
        if (r == -EBUSY && p->choice.automatic)
            snprintf(s->taken, sizeof(s->taken), "%s", err_text(&err, r));
        else if (r < 0 && r != -EAGAIN)
            pipeline_note_fault(p, LOST_SENSOR, s->ops->name, s->ops->bit, err_text(&err, r));
        pipeline_follow_fd(p, SOURCE_SENSOR, s->sensor, &s->fd, s->ops->fd(s->sensor));
    }
    if (watchset_leads_elsewhere(p->watches))
        follow_link(p);
    if (clock_ns(CLOCK_MONOTONIC) >= p->next_poll_ns) {
        p->next_poll_ns = clock_ns(CLOCK_MONOTONIC) + POLL_NS;
        if (p->options.no_case) /* elsewhere the verdict has it */
            engines_each_silent(p->engines, on_silent_engine, p);
        pipeline_end_faults(p, false);
        pipeline_look_at_copies(p);
        watchset_poll(p->watches);
        /* what was given up may have events in what is waiting */
        if (is_all_read(p) || watchset_change_is_read(p->watches, p->newest_event_ns))
            watchset_change_finish(p->watches);
        pipeline_record_places(p);
    }
}

/*
 * All that the kernel had when this turn began is with the store, where it has nothing more now: so far it is known
 * what happened, but for what sensors hold for a moment. Audit's records also wait in the kernel's own queue, where
 * nobody sees them: while events come, it is known no further than to the newest.
 */
static void emit_seen(struct pipeline *p, uint64_t turn_ns)
{
    uint64_t seen_ns = turn_ns - HELD_NS;
    bool waits;

    if (turn_ns < p->next_seen_ns)
        return;
    p->next_seen_ns = turn_ns + SEEN_NS;
    waits = !is_all_read(p);
    if (!waits && turn_ns - p->all_read_ns >= (pipeline_open_sensor_bits(p) & SENSOR_AUDIT ? SETTLED_AUDIT_NS : SETTLED_NS)) {
        p->all_emitted_ns = p->all_read_ns;
        p->all_read_ns = turn_ns;
    }
    if (!p->store)
        return;
    if (turn_ns < p->last_event_ns + FLOWING_NS)
        seen_ns = MIN(seen_ns, p->newest_event_ns);
    if (p->fuse && fuse_oldest_ns(p->fuse)) /* one waits for another sensor's observation of it */
        seen_ns = MIN(seen_ns, fuse_oldest_ns(p->fuse) - 1);
    store_seen(p->store, waits ? 0 : seen_ns);
}

/* As long as every open sensor allows. */
static unsigned poll_backoff_us(const struct pipeline *p)
{
    unsigned us = UINT_MAX;

    for (size_t i = 0; i < p->sensor_count; i++)
        us = MIN(us, p->sensors[i].ops->poll_backoff_us ? p->sensors[i].ops->poll_backoff_us : BACKOFF_US);
    return us == UINT_MAX ? BACKOFF_US : us;
}

int pipeline_watch_fd(struct pipeline *p, int fd, void (*ready)(void *data, int fd), void *data,
                      struct err *err)
{
    return pipeline_add_source(p, SOURCE_CALLER, fd, ready, data, err);
}

int pipeline_run(struct pipeline *p, uint64_t until_ns, struct err *err)
{
    const unsigned backoff_us = poll_backoff_us(p);
    unsigned busy = 0;

    p->stop = false;
    while (!p->stop) {
        struct epoll_event events[EPOLL_MAX];
        uint64_t now = clock_ns(CLOCK_MONOTONIC), turn_ns = clock_ns(CLOCK_REALTIME);
        int timeout = pipeline_open_sensor_bits(p) & SENSOR_BPF ? BPF_TICK_MS : TICK_MS, n;

        if (until_ns && now >= until_ns)
            break;
        if (p->fuse && fuse_oldest_ns(p->fuse))
            timeout = FUSE_TICK_MS;
        if (until_ns && until_ns - now < (uint64_t)timeout * NS_PER_MS)
            timeout = (int)((until_ns - now) / NS_PER_MS) + 1;
        n = epoll_wait(p->epoll_fd, events, EPOLL_MAX, timeout);
        if (n < 0 && errno != EINTR)
            return err_set(err, -errno, "epoll");
        pipeline_dispatch(p);
        pipeline_leave_taken_sensors(p);
        if (p->fuse)
            fuse_expire(p->fuse, clock_ns(CLOCK_MONOTONIC), n == 0);
        emit_seen(p, turn_ns);
        if (p->store)
            store_keep(p->store);
        if (now >= p->next_trim_ns) {
            p->next_trim_ns = now + TRIM_NS;
            memory_trim();
        }
        if (clock_ns(CLOCK_MONOTONIC) - now < backoff_us * 1000ull && n > 0 && ++busy > BUSY_WAKES)
            usleep(backoff_us);
        else if (n == 0)
            busy = 0;
        for (int i = 0; i < n; i++) {
            struct source *s = events[i].data.ptr;

            /* the engines' source may have been replaced by the dispatch above */
            for (size_t j = 0; j < p->source_count; j++)
                if (p->sources[j] == s && s->kind == SOURCE_CALLER) {
                    s->ready(s->data, s->fd);
                    break;
                }
        }
        if (p->options.idle)
            p->options.idle(p->options.data);
    }
    return 0;
}

void pipeline_stop(struct pipeline *p)
{
    p->stop = true;
}
