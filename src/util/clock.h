/* SPDX-License-Identifier: MIT */
/* Times, in nanoseconds where nothing else is said. */
#pragma once

#include <stdint.h>
#include <time.h>

#include "util/macro.h"

static inline uint64_t clock_ns(clockid_t clock) /* CLOCK_REALTIME, CLOCK_MONOTONIC ...: cannot fail */
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static inline uint64_t clock_ms(clockid_t clock) /* the same in milliseconds, rounded down */
{
    return clock_ns(clock) / NS_PER_MS;
}

/* So many milliseconds from now, as pthread_cond_timedwait() takes it. */
static inline struct timespec clock_after_ms(clockid_t clock, unsigned ms)
{
    uint64_t at = clock_ns(clock) + ms * NS_PER_MS;

    return (struct timespec){ .tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S) };
}

/* 0: before 1970, or nothing at all. */
static inline uint64_t clock_join(int64_t seconds, uint64_t ns)
{
    return seconds > 0 ? (uint64_t)seconds * NS_PER_S + ns : 0;
}

/* The same of a timespec, or of a statx_timestamp. */
#define clock_of(t) clock_join((t).tv_sec, (uint64_t)(t).tv_nsec)
