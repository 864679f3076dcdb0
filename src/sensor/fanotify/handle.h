/* SPDX-License-Identifier: MIT */
/* One event of the kernel's queue goes to each object that its directory belongs to. */
#pragma once

#include "sensor/fanotify/state.h"

/* One event of the queue, in its order; e: valid for the call. now: when it was read, and whether it is replayed from the start-up
 * buffer. */
void fanotify_handle_event(struct sensor *s, const struct fanotify_event *e, const struct fanotify_cause *now);
void fanotify_moved_flush(struct sensor *s); /* a half of a move that found no other */
/* Objects that came since the last time look through the start-up buffer. */
void fanotify_handle_startup(struct sensor *s);
