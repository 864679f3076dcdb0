/* SPDX-License-Identifier: MIT */
/*
 * Groups of records that belong to nobody yet: a container that is starting has a mount which no
 * watch knows so far. They are kept until it does. Bounded; what does not fit is counted.
 */
#pragma once

#include "sensor/audit/group.h"

struct audit_held;

struct audit_held *audit_held_new(void); /* NULL: out of memory */
void audit_held_free(struct audit_held *held);

/* Copies the group. False: no room. */
bool audit_held_add(struct audit_held *held, const struct audit_group *group);
/* Hands each to `claim`, in order; those it returns true for are dropped. */
void audit_held_replay(struct audit_held *held,
                       bool (*claim)(void *data, const struct audit_group *group), void *data);
void audit_held_clear(struct audit_held *held);
