/* SPDX-License-Identifier: MIT */
/*
 * One change becomes one event: observations of the same change by several sensors are merged into an event that has
 * the union of their facts and names all these sensors.
 *
 * Two observations are of one change if they are by different sensors, of the same watch, path, operation
 * class, actor and outcome (observation.h). Observations of one sensor are never merged, so that n real changes, seen by each of
 * several sensors, come out as n events in whatever order the observations arrive; the k-th of one sensor is matched with the
 * k-th of the other. An observation that comes after its change was emitted is dropped (emitted.h); the facts that only it
 * had are lost.
 */
#pragma once

#include "event/event.h"
#include "util/err.h"

struct fuse;

struct fuse_options {
    unsigned sensors; /* enum sensor_bit of all that are open: an event seen by all is emitted at once */
    void *data;
    void (*event)(void *data, struct event *event); /* the receiver's from now on */
    /* It waits from now on, and will be emitted in the order of event->spooled, which is set to `number` or, if that is 0, to one
     * that leaves some numbers free after the last. May be NULL. */
    void (*expect)(void *data, struct event *event, uint64_t number);
};

struct fuse_stats {
    uint64_t folded;     /* observations that became part of another one's event, or came after it */
    uint64_t contradictions; /* facts on which two observations disagreed; the kernel-captured one was kept */
    uint64_t early;      /* emitted before their time, because too many waited */
};

/* The options are copied, what they point to is borrowed until fuse_free(). -ENOMEM. One thread. */
int fuse_new(const struct fuse_options *options, struct fuse **ret, struct err *err);
void fuse_free(struct fuse *f); /* NULL is fine; what waits is freed, not emitted: fuse_flush() first */

/* A observation that has its watch and its paths as the victim sees them. Takes it over.
 * now_ns: CLOCK_MONOTONIC */
void fuse_add(struct fuse *f, struct event *event, uint64_t now_ns);

/* One of them is open no more: what only it could still observe is not waited for. */
void fuse_set_sensors(struct fuse *f, unsigned sensors, uint64_t now_ns);

/* Let go what has waited long enough, in the order of arrival, but for what comes late of a name that is taken away meanwhile.
 * drained: every sensor has just delivered all it had, so that what waits since FUSE_SETTLE_NS will hardly be
 * seen by another one; otherwise FUSE_BOUND_NS is the limit. */
void fuse_expire(struct fuse *f, uint64_t now_ns, bool drained);
void fuse_flush(struct fuse *f, uint64_t now_ns);

/* When what waits longest may have happened, CLOCK_REALTIME; 0: nothing waits. */
uint64_t fuse_oldest_ns(const struct fuse *f);

/* As of now; valid until fuse_free(). */
const struct fuse_stats *fuse_stats(const struct fuse *f);

#define FUSE_SETTLE_NS 50000000ull  /* the kernel's queues of two sensors are filled by the same call */
#define FUSE_PRESUMED_NS 500000000ull  /* a observation that concludes: another sensor knows better */
#define FUSE_BOUND_NS 2000000000ull /* sensors that lag under load */
#define FUSE_WAITING_MAX 16384      /* events that wait: about 20 MB at most */
