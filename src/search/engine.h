/* SPDX-License-Identifier: MIT */
/*
 * A search from the log's bytes to the events that match, in ausearch's order: blocks are scanned
 * by all cores (search/lines.h), then in one thread their records become events (by node, time and
 * serial), which are matched once their last record is there and handed out lowest time first.
 *
 * An event is over, as for ausearch, when an event begins that is end_of_event_s later; messages
 * that are alone by their type at once. It is *decided* earlier, at its PROCTITLE or EOE, so that
 * text is kept for matching and for unfinished events only. Memory: LIMIT_SEARCH_TEXT of them; if
 * that is full the oldest events are handed out before their time (stats.forced).
 */
#pragma once

#include "search/run.h"

/* 0, 1 if `match` or `event` ended it, -ENOMEM or another failure to go on at all. */
int search_run(const struct search_run *run, struct search_stats *ret, struct err *err);
