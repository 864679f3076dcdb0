/* SPDX-License-Identifier: MIT */
/*
 * What is emitted later than it was learnt, because an event of it was expected: names that a listing found (found.h), ends
 * of directories that are gone (gone.h), attributes that differ (unexplained.h).
 */
#pragma once

#include "sensor/fanotify/state.h"

/* Something else happens to that name: if a listing found it, that is emitted first. */
void fanotify_late_found_name(struct fanotify_object *o, uint32_t name);
void fanotify_late_found(struct sensor *s); /* the queue is empty: no event says who made them */

/* The end of a directory of the index that is gone: emitted when the queue is empty, after what was done in it. */
void fanotify_late_end(struct fanotify_object *o, uint32_t directory, const struct fanotify_cause *cause);
/* Something happens to that name: its own end, and the ends of what was in it, come before. */
void fanotify_late_gone_at(struct fanotify_object *o, uint32_t name);
void fanotify_late_gone(struct sensor *s);

/* What no event has come for is emitted as changed by nobody known. now_ms: CLOCK_MONOTONIC. */
void fanotify_late_unexplained(struct sensor *s, uint64_t now_ms);
