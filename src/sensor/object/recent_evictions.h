/* SPDX-License-Identifier: MIT */
/*
 * What had to give way among the changes that wait for a starting container. Somebody may be waited for for days: it
 * matters only where it may have been that container's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RECENT_MS 10000 /* from a container's first act to the engine's answer: longer than that is an old change */

struct recent_evictions {
    uint64_t count;
    uint64_t last_ms; /* CLOCK_MONOTONIC: when the last one gave way */
};

/* Both CLOCK_MONOTONIC; then_ms is not later. */
static inline bool is_recent_eviction(uint64_t then_ms, uint64_t now_ms)
{
    return now_ms - then_ms <= RECENT_MS;
}

/* One more gave way now. The count begins anew where the last one is no longer recent. */
static inline void recent_evictions_note(struct recent_evictions *l, uint64_t now_ms)
{
    if (!is_recent_eviction(l->last_ms, now_ms))
        l->count = 0;
    l->count++;
    l->last_ms = now_ms;
}

/* How many; each is counted once. */
static inline uint64_t recent_evictions_take(struct recent_evictions *l, uint64_t now_ms)
{
    uint64_t count = is_recent_eviction(l->last_ms, now_ms) ? l->count : 0;

    l->count = 0;
    return count;
}
