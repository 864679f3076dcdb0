/* SPDX-License-Identifier: MIT */
/* One event of the kernel's queue goes to each object that its directory belongs to. */
#pragma once

#include "sensor/fanotify/state.h"

/* s->now and s->rest are of that event. */
void fanotify_handle_event(struct sensor *s, const struct fanotify_event *e);
void fanotify_moved_flush(struct sensor *s); /* a half of a move that found no other */
/* Objects that came since the last time look through the start-up buffer. */
void fanotify_handle_startup(struct sensor *s);
