/* SPDX-License-Identifier: MIT */
/*
 * Groups of records that belong to nobody yet: a container that is starting has a mount which no
 * watch knows so far. They are kept until it does. It may be waited for for days: the newest are
 * kept, and what gave way to them is counted for as long as it may have been a starting container's.
 */
#pragma once

#include "sensor/audit/group.h"

struct audit_held;

struct audit_held *audit_held_new(void); /* NULL: out of memory */
void audit_held_free(struct audit_held *held);

/* Copies the group; LIMIT_AUDIT_HELD bytes in all. now_ms: CLOCK_MONOTONIC. */
void audit_held_add(struct audit_held *held, const struct audit_group *group, uint64_t now_ms);
/* How many gave way lately, and are asked for now. */
uint64_t audit_held_take_lost(struct audit_held *held, uint64_t now_ms);
/* Hands each to `claim`, in order; those it returns true for are dropped. */
void audit_held_replay(struct audit_held *held,
                       bool (*claim)(void *data, const struct audit_group *group), void *data);
void audit_held_clear(struct audit_held *held);
