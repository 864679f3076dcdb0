/* SPDX-License-Identifier: MIT */
/* Questions to the store. All read; none formats. */
#pragma once

#include "store/coverage.h"
#include "store/question.h"
#include "store/store.h"

/* Events in order of time. `each` takes ownership of the event; non-zero stops. Process records are
 * shared between events of one query that are near each other. */
int store_each_event(struct store *store, const struct store_query *query,
                     int (*each)(void *data, struct event *event), void *data, struct err *err);
/*
 * Changes of exactly what lies above the path: a folder that was renamed, a link or a mount on the way. They have
 * `carried`, and are not among those of store_each_event(). In order of time; `each` takes ownership.
 */
int store_each_above(struct store *store, const struct store_query *query, int (*each)(void *data, struct event *event),
                     void *data, struct err *err);
uint64_t store_count_events(struct store *store, const struct store_query *query, struct err *err);

/* How many blocks are taken apart for store_each_event(), up to max: each takes a tenth of a millisecond, however few events are found in it. */
int store_count_blocks(struct store *store, const struct store_query *query, unsigned max, unsigned *ret, struct err *err);

/* Many events in few rows: for each (actor process, operation, outcome, victim) the count, the first
 * and last time, and at most `samples` full events of the group. In order of the first time.
 * Answers in milliseconds however many events there are. With a limit: where there are more events, it may say more than so many,
 * and not all. */
struct store_rollup {
    struct event *sample;   /* owned by the callee: the first event of the group */
    uint64_t count;
    uint64_t first_ns, last_ns;
};
int store_each_rollup(struct store *store, const struct store_query *query, unsigned samples,
                      int (*each)(void *data, const struct store_rollup *rollup,
                                  struct event *const *samples, unsigned sample_count),
                      void *data, struct err *err);

/* What happened to the containers that are asked for; losses and blind times of the time that is asked for, as far as they touch one in
 * which what is asked for was watched, by that sensor; of the whole record (any_victim without a path) all of them. In order of
 * time; the record is borrowed for the call; non-zero stops, and is returned. */
int store_each_life(struct store *store, const struct store_query *query,
                    int (*each)(void *data, const struct lifecycle_event *life), void *data, struct err *err);
int store_each_gap(struct store *store, const struct store_query *query,
                   int (*each)(void *data, const struct gap *gap), void *data, struct err *err);
/*
 * The record's own knowledge of which place is whose, where no engine knows it (any more): a host path that was
 * a container's becomes that container's path, with host_path; a container's path gets its host_path; a volume
 * (SELECTOR_VOLUME, path below its directory) becomes a host path. What it does not know stays. New texts are in
 * `arena`. -ENOENT: no such volume.
 */
int store_translate(struct store *store, struct store_query *query, struct arena *arena, struct err *err);
/*
 * Where what is asked for (its path as it was written, no link followed) led when it was watched as that path, or as one above it: by links
 * that lead elsewhere now, or in a container that is gone. Of older records, in which it is not noted which target led where: of watches with one alone.
 * `former` is valid during the call; non-zero stops, and is returned.
 */
struct store_former {
    struct bytes path;       /* in the same container, or on the host */
    uint64_t from_ns, to_ns; /* CLOCK_REALTIME; to_ns 0 = it still does */
};
int store_each_former(struct store *store, const struct store_query *query, int (*each)(void *data, const struct store_former *former),
                      void *data, struct err *err);
/* The watched place that lies nearest to what is asked for, at whatever time; its text is in `arena`. */
int store_nearest_coverage(struct store *store, const struct store_query *query, struct arena *arena,
                           struct coverage_nearest *ret, struct err *err);

/* Every log that was imported; head and tail are valid during the call. */
int store_each_imported(struct store *store, int (*each)(void *data, const struct store_imported *imported),
                        void *data, struct err *err);

/*
 * The newest change of exactly this path (as the victim sees it, or as the host finds it) that succeeded:
 * what was there, what it was renamed from (its previous path), what lies below it does not count.
 * Prepared once for many paths.
 */
struct store_last;
/* query: container or host, since, until; its path and operations do not count. */
int store_last_new(struct store *store, const struct store_query *query, struct store_last **ret,
                   struct err *err);
void store_last_free(struct store_last *last); /* NULL is fine */
/* operations: bit 1 << enum operation. *ret is the caller's; -ENOENT: none. */
int store_last_find(struct store_last *last, struct bytes path, struct bytes host_path, uint64_t operations,
                    struct event **ret, struct err *err);

struct store_summary {
    uint64_t events, bytes, first_ns, last_ns;
};
/* bytes: of the file, without SQLite's log; times: CLOCK_REALTIME of the first and last event, 0 = there is none. */
int store_summarise(struct store *store, struct store_summary *ret, struct err *err);
