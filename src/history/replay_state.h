/* SPDX-License-Identifier: MIT */
/* The state of one reading of a log. Shared by the files of history/ only. */
#pragma once

#include "history/awaited.h"
#include "history/node.h"
#include "history/options.h"
#include "search/lines.h"
#include "search/paths.h"
#include "util/hash_table.h"
#include "util/limits.h"
#include "util/sbuf.h"

#define BLOCKS 4               /* before, now, next, and the one that is being read and scanned meanwhile */
#define END_OF_EVENT_MS 2000   /* auditd's end_of_event_timeout */
#define END_OF_EVENT_TURNS 256 /* ... of one whose paths are not all there: as many events as processors may write at once */
#define MARKS 32               /* blocks; the oldest event that may be open spans fewer, or is read again from there */
#define LIVE_MS 5000           /* auditd writes the rest of an event within this */
#define BLOCKED_MS 3600000     /* a system call may have waited so long before its records are written */

/* A directory at or below the path that is asked for, by identity: only whether a line is looked at. */
struct inside_directory {
    UT_hash_handle hh;
    uint64_t inode; /* the same number of another device or machine costs a look, no more */
};

struct wanted {
    UT_hash_handle hh;
    struct {
        uint64_t time_ms, serial;
    } key;
};

struct log_block {
    struct audit_log_block text;
    struct search_lines lines;
    struct wanted *wanted; /* events of it that may matter */
    bool present;
};

/* Where a block began, and the latest time before it: where to go on so that an open event is read whole. Not by serial
 * numbers: those begin anew with a boot, and each machine of a log has its own. */
struct mark {
    struct replay_position at;
    uint64_t before_ms;
};

#define NAMES 64 /* users of this machine that are remembered */

struct log_user {
    bool asked;
    uint32_t uid;
    char name[LIMIT_NAME + 1]; /* empty: none */
};

struct replay {
    const struct replay_options *options;
    struct replay_stats *stats;
    struct needle needle;
    bool learning;         /* the first pass: learns processes and directories, emits nothing */
    struct inside_directory *inside;
    bool too_many_inside;  /* then everything is decoded */
    struct audit_grouper *grouper;
    struct awaited awaited; /* of events that are passed by */
    struct nodes nodes;
    struct search_paths paths;
    struct log_user users[NAMES]; /* by uid */
    struct log_block blocks[BLOCKS];
    bool skimming;         /* what is read was emitted before */
    struct mark marks[MARKS];
    uint64_t mark_count;
    struct replay_position end; /* of what was read */
    uint64_t seen_ms;      /* the latest time so far */
    uint64_t clock_ms;     /* of the records that are decoded */
    uint64_t sequence;
    struct sbuf directory; /* of the event that is made */
    int result;
};
