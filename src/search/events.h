/* SPDX-License-Identifier: MIT */
/*
 * Lines to events, in one thread, in order. See engine.h for when an event is over and decided.
 */
#pragma once

#include "search/lines.h"
#include "search/run.h"

struct search_events;

/* run, stats: borrowed until search_events_free(). end_of_event_s: of the log's time, after which an event is complete. has_needle:
 * an event none of whose lines has what is searched for is left out. NULL: memory. */
struct search_events *search_events_new(const struct search_run *run, uint64_t end_of_event_s,
                                        bool has_needle, struct search_stats *stats);
/* NULL is fine. What has not been given out is dropped. */
void search_events_free(struct search_events *events);

/* The lines of the next block; `text` is needed until search_events_keep(). 1: ended; -ENOMEM. */
int search_events_add(struct search_events *events, struct bytes text, const struct search_lines *lines);
/* Copy what must outlive the block. -ENOMEM. */
int search_events_keep(struct search_events *events);
/* The end of the log: all that is left is over. `decided_only`: a pause, only what has its end. */
int search_events_finish(struct search_events *events, bool decided_only);
