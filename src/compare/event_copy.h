/* SPDX-License-Identifier: MIT */
/* An event that changed more than one path, or more than one thing of it: each of them has one of its own. */
#pragma once

#include "event/event.h"

/* Without the states before and after. Owned: event_free(). NULL: no memory. Borrows nothing. */
struct event *event_copy_for_track(const struct event *event);
