/* SPDX-License-Identifier: MIT */
/* What the daemon counts of itself as it happens. One thread. */
#pragma once

#include "event/event.h"
#include "util/err.h"
#include "util/hash_table.h"

#define STATUS_OTHER "other" /* the watch of what has no series of its own */
#define STATUS_LAG_BUCKETS 9

/* Events of one watch, operation and outcome. */
struct status_series {
    UT_hash_handle hh;
    uint64_t count;
    enum operation operation;
    bool failed;
    size_t len;
    char key[]; /* operation, outcome, the watch's text */
};

struct status {
    uint64_t since_ns;              /* CLOCK_REALTIME: it runs */
    struct status_series *series;
    unsigned series_count;
    uint64_t lost[LOST_COUNT];      /* events, where it is known how many; else once for each time */
    uint64_t gaps[LOST_COUNT];
    uint64_t lag_count[STATUS_LAG_BUCKETS + 1]; /* the last: longer than all */
    uint64_t lag_sum_ns, last_lag_ns;
    uint64_t events;
    uint64_t reloads, reloads_failed;
    uint64_t reloaded_ns;           /* CLOCK_REALTIME: the configuration in force was read then */
    bool broken;                    /* the last reload found mistakes */
    char broken_text[LIMIT_ERR];
    uint64_t heartbeats, heartbeats_wrong;
    uint64_t heartbeat_ns;          /* CLOCK_REALTIME: of the last one; 0 = none */
    char heartbeat_text[LIMIT_ERR]; /* "" = right */
};

/* Counts one; nothing of the event or gap is kept. More watches than there is room for are counted as STATUS_OTHER. */
void status_event(struct status *s, const struct event *event);
void status_gap(struct status *s, const struct gap *gap);
void status_done(struct status *s); /* frees the series; s itself is the caller's */

extern const uint64_t status_lag_limits_ns[STATUS_LAG_BUCKETS];
/* "ring-full": of enum lost; NULL: none. */
const char *status_lost_name(enum lost place);
