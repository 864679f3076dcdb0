/* SPDX-License-Identifier: MIT */
/* Counts by watch: alerts that began by severity, and what was expected by why. Bounded; one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/hash_table.h"

#define ALERT_SERIES_OTHER "other"     /* the watch of what has no series of its own */
#define ALERT_SERIES_OWN "culprit"     /* of what culprit reports of itself */

struct alert_series {
    UT_hash_handle hh;
    uint64_t count;
    bool expected;  /* else an alert */
    unsigned which; /* enum expected, or enum severity */
    size_t len;     /* of the watch's text, behind the key's first bytes */
    char key[];
};
#define ALERT_SERIES_WATCH 2 /* where that is */

struct alert_counts_by_watch {
    struct alert_series *series; /* uthash */
    unsigned count;
};

/* One more. watch: BYTES_NULL is culprit itself. */
void alert_series_add(struct alert_counts_by_watch *counts, bool expected, unsigned which, struct bytes watch);
void alert_series_done(struct alert_counts_by_watch *counts);
