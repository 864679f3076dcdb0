/* SPDX-License-Identifier: MIT */
/* One event of the kernel's queue goes to each object that its directory belongs to. */
#pragma once

#include "sensor/fanotify/state.h"

void fanotify_handle_event(struct sensor *s, const struct fanotify_event *e, const struct fanotify_cause *now);
void fanotify_moved_flush(struct sensor *s); /* a half of a move that found no other */
/* Objects that came since the last time look through the start-up buffer. */
void fanotify_handle_startup(struct sensor *s);
