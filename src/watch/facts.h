/* SPDX-License-Identifier: MIT */
/* What two sensors know of one change, in one event; and when it was, as far as one of them knows. Pure. */
#pragma once

#include "event/event.h"

/* What only `from` knows is taken by `to`, whose facts stay where both know them; *contradictions counts where they differ. */
void facts_unite(struct event *to, const struct event *from, uint64_t *contradictions);

/* The kernel stamped it: fanotify's events have the time at which they were read, and no event was earlier than the read before. */
bool facts_are_timed(const struct event *e);
/* When it was at the earliest, CLOCK_REALTIME. Of an event whose time was not bounded yet. */
uint64_t facts_earliest(const struct event *e);
/* What came after it was then: it was not later. boot_ns stays, by which its process is found: audit's time is the one of the call's
 * beginning by a clock that ticks every few milliseconds, when the process may not have executed yet what made the change. */
void facts_bound_time(struct event *e, uint64_t time_ns);
