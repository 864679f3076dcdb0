/* SPDX-License-Identifier: MIT */
/* What the files of history/ that read a log share: scan.c (lines), tell.c (events), replay.c (blocks, passes). */
#pragma once

#include <uthash.h>

#include "history/node.h"
#include "history/replay.h"
#include "search/lines.h"
#include "search/paths.h"
#include "util/limits.h"
#include "util/sbuf.h"

#define BLOCKS 4               /* before, now, next, and the one that is being read and scanned meanwhile */
#define END_OF_EVENT_MS 2000   /* auditd's end_of_event_timeout */
#define MARKS 32               /* blocks; the oldest event that may be open spans fewer, or is read again from there */
#define LIVE_MS 5000           /* auditd writes the rest of an event within this */
#define BOOT_BACK 1000         /* serials start anew with each boot; records of one moment are closer than this */

/* A directory at or below the path that is asked for, by identity: only whether a line is looked at. */
struct inside {
    UT_hash_handle hh;
    uint64_t inode; /* the same number of another device or machine costs a look, no more */
};

struct wanted {
    UT_hash_handle hh;
    struct {
        uint64_t time_ms, serial;
    } key;
};

struct block {
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

struct user {
    bool asked;
    uint32_t uid;
    char name[LIMIT_NAME + 1]; /* empty: none */
};

struct replay {
    const struct replay_options *options;
    struct replay_stats *stats;
    struct needle needle;
    bool learning;         /* the first pass: who is where; nothing is told */
    struct inside *inside;
    bool too_many_inside;  /* then everything is decoded */
    struct audit_grouper *grouper;
    struct nodes nodes;
    struct search_paths paths;
    struct user users[NAMES]; /* by uid */
    struct block blocks[BLOCKS];
    bool skimming;         /* what is read was told before */
    struct mark marks[MARKS];
    uint64_t mark_count;
    struct replay_position end; /* of what was read */
    uint64_t seen_ms;      /* the latest time so far */
    uint64_t sequence;
    struct sbuf directory; /* of the event that is made */
    int result;
};

/* ---- scan.c ---- */

/* Which events of a block may matter. -ENOMEM */
int replay_scan(struct replay *p, struct block *b);
void replay_block_clear(struct block *b);
bool replay_is_wanted(const struct replay *p, const struct search_line *line);
/* An event that is not decoded still tells who its actor's launcher is. */
void replay_see_line(struct replay *p, struct node *node, uint64_t time_ms, const char *text, size_t len);
/* Does what stands at `at` of this text stand before options->tell_from? */
/* A login: where that session came from. */
void replay_see_login(struct node *node, const char *text, size_t len);
bool replay_is_before(const struct replay *p, const struct audit_log_block *text, uint32_t at);

/* ---- ahead.c: a thread that fills blocks[BLOCKS - 1] ---- */

struct ahead;
int replay_ahead_new(struct replay *p, const struct audit_log_reader_options *options, struct ahead **ret, struct err *err);
void replay_ahead_free(struct ahead *a); /* waits; NULL is fine */
/* Begin to fill it; nobody else touches it until replay_ahead_wait(), which returns what the reader does: 1, 0 = no
 * more, -errno; and how far the reader is. */
void replay_ahead_ask(struct ahead *a);
int replay_ahead_wait(struct ahead *a, struct audit_log_stats *ret_stats);

/* ---- users.c ---- */

/* The names of euid, uid and auid: by the records' own words, or where the log is this machine's by its users. The views
 * are valid until the next call. enriched: what auditd added to the SYSCALL record. */
void replay_name(struct replay *p, struct bytes enriched, struct sighting *s);

/* ---- tell.c ---- */

/* The grouper's callback; data: struct replay. */
void replay_on_group(void *data, const struct audit_group *g);
/* A directory at or below the path that is asked for; others are passed over. data: struct replay. */
void replay_add_inside(void *data, uint64_t inode, struct bytes path);
