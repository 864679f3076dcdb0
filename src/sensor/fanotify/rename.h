/* SPDX-License-Identifier: MIT */
/* Moves: within a watch, into it, out of it, over something, and two names for each other. */
#pragma once

#include "sensor/fanotify/state.h"

/* e->from and e->to; one of them may be unknown. */
void fanotify_rename(struct sensor *s, const struct fanotify_event *e, const struct fanotify_cause *now);
