/* SPDX-License-Identifier: MIT */
/* What one search is given, and what it counted. */
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
