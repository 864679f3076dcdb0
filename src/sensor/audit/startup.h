/* SPDX-License-Identifier: MIT */
/*
 * Groups of records that belong to nobody yet, in a start-up buffer: a container that is starting has a mount which no watch
 * knows so far.
 */
#pragma once

#include "sensor/audit/group.h"
#include "sensor/object/startup_buffer.h"

/* Copies the group. now_ms: CLOCK_MONOTONIC. */
void audit_startup_add(struct startup_buffer *startup, const struct audit_group *group, uint64_t now_ms);
/* Hands each to `claim`, in order; those it returns true for are dropped. */
void audit_startup_replay(struct startup_buffer *startup, bool (*claim)(void *data, const struct audit_group *group), void *data);
