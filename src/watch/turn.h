/* SPDX-License-Identifier: MIT */
/* While watches are exchanged (change.h): which of two that are armed emits an event. */
#pragma once

#include <stdbool.h>

struct event;
struct watch;
struct watchset;

/* True if not `w`, but another watch emits it. The event has its paths as the victim sees them. */
bool turn_is_anothers(const struct watchset *set, const struct watch *w, const struct event *e);
