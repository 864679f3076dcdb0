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

#include "search/match.h"
#include "sensor/audit/log/reader.h"

struct search_stats {
    uint64_t records, events, matches;
    uint64_t damaged; /* lines that are no records, were cut, or too long */
    uint64_t forced;  /* events that could not be waited for as long as they might grow */
    uint64_t late;    /* records of events that had been decided without them */
    uint64_t unsure;  /* matches by the last component of a name alone */
    struct audit_log_stats log;
};

struct search_run {
    const struct search_query *query;
    struct search_matcher *matcher;
    const struct audit_log_files *files;
    const struct log *log;
    unsigned threads;  /* 0: as many as there are processors, at most 4 */
    bool keep_open;    /* at the end events that are not over are dropped (ausearch with a checkpoint) */
    /* Each event that matches. False ends the search. */
    bool (*match)(void *data, const struct search_event *event);
    /* Every event in the same order, after `match` if it matched (checkpoints); may be NULL. */
    bool (*event)(void *data, const struct search_event *event);
    /* Nothing more to come for a while (a pipe): flush. May be NULL. */
    void (*idle)(void *data);
    void *data;
};

/* 0, 1 if `match` or `event` ended it, -ENOMEM or another failure to go on at all. */
int search_run(const struct search_run *run, struct search_stats *ret, struct err *err);
