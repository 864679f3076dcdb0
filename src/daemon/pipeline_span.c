/* SPDX-License-Identifier: MIT */
/* An observation begins, goes on with other targets, and ends. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "attribution/attribution.h"
#include "daemon/pipeline_copies.h"
#include "daemon/pipeline_coverage.h"
#include "daemon/pipeline_loop.h"
#include "daemon/pipeline_sensors.h"
#include "daemon/pipeline_stages.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/memory.h"
#include "util/sbuf.h"
#include "watch/change.h"
#include "watch/coverage.h"

#define SYNC_MS 2000         /* at the end, what happened before is waited for so long at a time */
#define FINISH_NS (60 * NS_PER_S) /* and so long in all: a storm's events are read faster than they are made */
#define PATIENCE_MS 200      /* while events wait, an engine's answer is waited for so long */
#define LISTS_MS 5000        /* and package lists, before it is ready: the first event would wait for them */

void pipeline_ready(struct pipeline *p, struct sbuf *ret_text)
{
    _cleanup_sbuf_ struct sbuf not_seen = SBUF_INIT;
    uint64_t from_ns = clock_ns(CLOCK_REALTIME);
    unsigned lacks;

    /* what a sensor looks at first, such as descriptors that are open already, belongs to the beginning */
    pipeline_dispatch(p);
    pipeline_leave_taken_sensors(p);
    pipeline_await_copies(p);
    attribution_await(p->attribution, LISTS_MS);
    engines_set_patience(p->engines, PATIENCE_MS);
    pipeline_write_not_seen(p, &not_seen);
    sbuf_add_char(ret_text, '(');
    for (size_t i = 0; i < p->sensor_count; i++)
        sbuf_addf(ret_text, "%s%s", i ? " + " : "", p->sensors[i].ops->name);
    lacks = coverage_lacks(sbuf_bytes(&not_seen));
    if (lacks)
        sbuf_addf(ret_text, "; %u kind%s not seen: culprit doctor)", lacks,
                  lacks == 1 ? " of change is" : "s of change are");
    else
        sbuf_add_str(ret_text, "; sees every route)");
    p->from_ns = from_ns;
    pipeline_name_blind(p, &not_seen);
    pipeline_begin_coverage(p, sbuf_bytes(&not_seen));
    if (p->choice.reason[0])
        log_debug(p->options.log, "%s", p->choice.reason); /* `doctor` says it, not every start */
    memory_give_back(); /* the kernel's types, read to load BPF programs; package lists; libraries' start */
}

int pipeline_change(struct pipeline *p, struct plan *plan, unsigned permissions, bool renew, struct watchset_difference *ret,
                    struct err *err)
{
    int r = watchset_change(p->watches, plan, ret, err);

    if (r < 0)
        return r;
    p->options.permissions = permissions;
    if (renew && p->from_ns && (ret->added || ret->ended))
        pipeline_renew_coverage(p);
    return 0;
}

bool pipeline_is_changing(const struct pipeline *p)
{
    return watchset_is_changing(p->watches);
}

/* Everything that happened before now, however much is waiting; what is given up is a gap. until_ns: CLOCK_MONOTONIC. */
static void read_to_the_end(struct pipeline *p, const struct open_sensor *open, uint64_t until_ns)
{
    uint64_t from_ns = clock_ns(CLOCK_REALTIME), now;
    struct err err = ERR_INIT;
    bool said = false;
    int r;

    for (;;) {
        now = clock_ns(CLOCK_MONOTONIC);
        r = open->ops->sync(open->sensor, now < until_ns ? (unsigned)MIN((until_ns - now) / NS_PER_MS, SYNC_MS) + 1 : 1, &err);
        if (r != -EAGAIN || clock_ns(CLOCK_MONOTONIC) >= until_ns)
            break;
        if (!said)
            pipeline_on_notice(p, "events are still being read");
        said = true;
        if (p->options.idle)
            p->options.idle(p->options.data);
    }
    if (r < 0) {
        struct gap gap = { .reason = LOST_UNREAD,
                           .from_ns = from_ns,
                           .to_ns = clock_ns(CLOCK_REALTIME),
                           .sensor = open->ops->bit };

        snprintf(gap.text, sizeof(gap.text), "what happened last was not read to its end");
        log_warn(p->options.log, "%s: %s; the last moments may be missing", open->ops->name, err_text(&err, r));
        pipeline_on_gap(p, &gap);
    }
}

/* What `who` will not know. The store has that gap itself, where it could be written. */
static void emit_missing(struct pipeline *p)
{
    struct gap gap = { .reason = LOST_STORE };
    struct store_state state;

    store_state(p->store, &state);
    if (p->case_ && (!state.recording || state.error))
        case_not_recorded(p->case_);
    if (!state.recording || !state.missing) /* that nothing is recorded was said at the beginning */
        return;
    gap.count = state.missing;
    gap.from_ns = state.from_ns;
    gap.to_ns = state.to_ns;
    snprintf(gap.text, sizeof(gap.text), "not written to the store");
    if (p->case_)
        (void)case_add_gap(p->case_, &gap);
    if (p->options.gap)
        p->options.gap(p->options.data, &gap);
}

static void on_absent(void *data, struct bytes text)
{
    struct pipeline *p = data;

    (void)case_add_explanation(p->case_, EXPLANATION_ABSENT, 0, 0, text);
}

void pipeline_finish(struct pipeline *p)
{
    const uint64_t limit_ns = p->options.finish_ns ? p->options.finish_ns : FINISH_NS;
    uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + limit_ns;

    (void)engines_sync(p->engines, ENGINE_WAIT_MS, NULL);
    for (size_t i = 0; i < p->sensor_count; i++)
        read_to_the_end(p, &p->sensors[i], p->options.finish_ns ? until_ns : clock_ns(CLOCK_MONOTONIC) + limit_ns);
    pipeline_dispatch(p);
    if (p->fuse) {
        fuse_flush(p->fuse, clock_ns(CLOCK_MONOTONIC));
        if (fuse_stats(p->fuse)->contradictions)
            log_debug(p->options.log, "sensors disagreed on %" PRIu64 " facts; the kernel's capture was kept",
                     fuse_stats(p->fuse)->contradictions);
    }
    pipeline_end_faults(p, true);
    pipeline_record_places(p);
    if (p->case_ && !case_events(p->case_))
        watchset_each_absent(p->watches, on_absent, p);
    if (p->store) {
        if (p->coverage_id)
            (void)store_end_coverage(p->store, p->coverage_id, clock_ns(CLOCK_REALTIME));
        (void)store_flush(p->store, NULL);
        emit_missing(p);
    }
    if (p->options.idle)
        p->options.idle(p->options.data);
}
