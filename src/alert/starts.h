/* SPDX-License-Identifier: MIT */
/*
 * Does a matter's cause come after each start of the container whose files they are? Only starts that were seen here count, and only
 * causes that came at no other time since the first of them. Bounded: what finds no room is not claimed. Pure. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/container.h"
#include "event/event.h"
#include "util/fingerprint.h"

#define STARTS 5
#define STARTS_AFTER_NS (10 * 60 * NS_PER_S) /* later it is not after the start */
#define STARTS_ROWS_MAX 512                       /* containers; matters: 64 kB */

struct starts;

struct starts *starts_new(void); /* NULL: out of memory */
void starts_free(struct starts *s); /* NULL is fine */

/* A start is noted; other lifecycle events say nothing of it. One without a time, or without room for it, is as starts_forget(). */
void starts_life(struct starts *s, const struct lifecycle_event *life);
/* A start may have been missed. */
void starts_forget(struct starts *s);
/* matter: its key. */
void starts_event(struct starts *s, const struct event *event, struct fingerprint matter);

struct starts_fact {
    int64_t earliest_ns, latest_ns; /* of the first change after each start, from it */
};
/* Did it come after each of the last STARTS starts? victim: NULL is fine. */
bool starts_each(const struct starts *s, const struct container *victim, struct fingerprint matter, struct starts_fact *ret);
