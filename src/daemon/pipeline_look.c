/* SPDX-License-Identifier: MIT */
/* The pipeline as others see it, while it runs. */
#include "daemon/pipeline_copies.h"
#include "daemon/pipeline_coverage.h"
#include "daemon/pipeline_stages.h"
#include "util/clock.h"
#include "watch/listing.h"

#define NEWER_NS (2 * NS_PER_S)    /* under a load that does not end: the queues are read in order */

void pipeline_look(const struct pipeline *p, struct pipeline_condition *ret)
{
    *ret = (struct pipeline_condition){
        .sensors = pipeline_open_sensor_bits(p),
        .has = p->choice.has,
        .from_ns = p->from_ns,
        .events = p->sequence,
        .newest_ns = p->newest_event_ns,
        .has_store = p->store != NULL,
    };
    if (p->store)
        store_state(p->store, &ret->store);
    pipeline_look_at_kept(p, ret);
}

void pipeline_write_sensors(const struct pipeline *p, struct sbuf *out)
{
    for (size_t i = 0; i < p->sensor_count; i++)
        sbuf_addf(out, "%s%s", i ? " + " : "", p->sensors[i].ops->name);
}

void pipeline_write_lacks(struct pipeline *p, struct sbuf *out)
{
    pipeline_write_not_seen(p, out);
}

void pipeline_each_watch(const struct pipeline *p, void (*each)(void *data, const struct watch_listing *listing), void *data)
{
    watchset_each_listing(p->watches, each, data);
}

const struct target *pipeline_watch_target(const struct pipeline *p, uint32_t watch)
{
    return watchset_target(p->watches, watch);
}

void pipeline_each_silent_engine(const struct pipeline *p, void (*each)(void *data, const char *name), void *data)
{
    engines_each_silent(p->engines, each, data);
}

struct each_container {
    void (*each)(void *data, const struct container *container);
    void *data;
};

static int on_container(void *data, struct container *c)
{
    const struct each_container *e = data;

    e->each(e->data, c);
    return 0;
}

void pipeline_each_container(struct pipeline *p, void (*each)(void *data, const struct container *container), void *data)
{
    struct each_container e = { each, data };

    (void)engines_each(p->engines, on_container, &e);
}

void pipeline_report_gap(struct pipeline *p, const struct gap *gap)
{
    pipeline_on_gap(p, gap);
}

void pipeline_each_absent(const struct pipeline *p, void (*each)(void *data, struct bytes text), void *data)
{
    watchset_each_absent(p->watches, each, data);
}

bool pipeline_has_emitted(const struct pipeline *p, uint64_t before_ns)
{
    uint64_t oldest = p->fuse ? fuse_oldest_ns(p->fuse) : 0;

    if (oldest && oldest <= before_ns)
        return false;
    /* nothing was waiting to be read at some time since, and again later; or what is read is newer */
    return p->all_emitted_ns > before_ns || p->newest_event_ns > before_ns + NEWER_NS;
}

uint64_t pipeline_store_mark(struct pipeline *p)
{
    return p->store ? store_mark(p->store) : 0;
}

bool pipeline_store_has(struct pipeline *p, uint64_t mark)
{
    return !p->store || store_has(p->store, mark);
}
