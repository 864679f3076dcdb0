/* SPDX-License-Identifier: MIT */
#include "daemon/pipeline_coverage.h"

#include "daemon/blind.h"
#include "daemon/pipeline_stages.h"
#include "report/coverage.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/sbuf.h"
#include "watch/coverage.h"

unsigned pipeline_open_sensor_bits(const struct pipeline *p)
{
    unsigned bits = 0;

    for (size_t i = 0; i < p->sensor_count; i++)
        bits |= p->sensors[i].ops->bit;
    return bits;
}

/* All sensors' own words about what they cannot see, then what none of them can by its nature. */
void pipeline_write_not_seen(struct pipeline *p, struct sbuf *out)
{
    char lacks[512];

    choice_lacks(&p->choice, p->options.permissions, lacks, sizeof(lacks));
    sbuf_add_str(out, lacks);
    for (size_t i = 0; i < p->sensor_count; i++) {
        const char *own = p->sensors[i].ops->not_seen(p->sensors[i].sensor);

        if (!own || !*own)
            continue;
        if (out->len)
            sbuf_add_str(out, "; ");
        sbuf_add_str(out, own);
    }
}

/* Whom no open sensor sees: said once, and kept with the coverage. */
void pipeline_name_blind(struct pipeline *p, struct sbuf *not_seen)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT, notice = SBUF_INIT;
    uint64_t before_ns = 0;

    if (p->choice.has & CAPABILITY_OLD_PROCESSES)
        return;
    for (size_t i = 0; i < p->sensor_count; i++)
        if (p->sensors[i].ops->blind_before)
            before_ns = MAX(before_ns, p->sensors[i].ops->blind_before(p->sensors[i].sensor));
    if (!blind_names(p->attribution, before_ns, &names))
        return;
    sbuf_addf(not_seen, "%sold processes are %s", not_seen->len ? "; " : "", sbuf_str(&names));
    sbuf_addf(&notice, "what these processes do is not seen, they are older than the kernel's auditing: %s; "
                       "restart the one you suspect, or boot with audit=1",
              sbuf_str(&names));
    pipeline_on_notice(p, sbuf_str(&notice));
}

static void on_place(void *data, const struct coverage_place *place)
{
    struct pipeline *p = data;
    struct coverage_place now = *place;

    if (coverage_is_scratch(place)) /* of a heartbeat, for which no new span begins: it is none of the span's own watches */
        return;
    now.from_ns = p->recorded_places ? clock_ns(CLOCK_REALTIME) : p->from_ns;
    (void)store_add_coverage_place(p->store, p->coverage_id, &now);
}

/* Containers come and go: where the watches look is kept as they do. */
void pipeline_record_places(struct pipeline *p)
{
    if (p->store && p->coverage_id)
        watchset_each_new_place(p->watches, on_place, p);
    p->recorded_places = true;
}

/* What is seen from p->from_ns on, and what is not: for the verdict, and for the record. */
void pipeline_begin_coverage(struct pipeline *p, struct bytes not_seen)
{
    const struct coverage coverage = {
        .sensors = pipeline_open_sensor_bits(p),
        .from_ns = p->from_ns,
        .watch = watchset_text(p->watches),
        .not_seen = not_seen,
        .host_id = p->options.host_id,
        .host_name = p->options.host_name,
        .narrowed = p->options.narrowed,
    };

    if (p->case_)
        (void)case_add_coverage(p->case_, &coverage);
    if (p->store) { /* at once: who else observes has to know that his events may come from us too (store/writer.c) */
        (void)store_begin_coverage(p->store, &coverage, &p->coverage_id);
        pipeline_record_places(p);
        (void)store_flush(p->store, NULL);
    }
}

/* Another span, since what is seen is not the same any more. */
void pipeline_renew_coverage(struct pipeline *p)
{
    _cleanup_sbuf_ struct sbuf not_seen = SBUF_INIT;

    p->from_ns = clock_ns(CLOCK_REALTIME);
    if (p->case_)
        case_end_coverage(p->case_, p->from_ns);
    if (p->store)
        (void)store_end_coverage(p->store, p->coverage_id, p->from_ns);
    watchset_forget_places(p->watches);
    p->recorded_places = false;
    pipeline_write_not_seen(p, &not_seen);
    pipeline_begin_coverage(p, sbuf_bytes(&not_seen));
}
