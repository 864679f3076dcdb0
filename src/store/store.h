/* SPDX-License-Identifier: MIT */
/*
 * The store: append-only facts on disk. One writer thread behind a bounded, counted queue; a batch is one transaction,
 * begun 20 ms after its first event. What is not written yet is in a spool (store/spool.h), which whoever opens the store next,
 * also to read, takes over if its writer was killed: so kill -9 loses what was not read yet, and never the file. Any number of
 * processes may write and read one store. A file that is moved, deleted or truncated meanwhile is noticed within two
 * seconds, and a new one is begun.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/container.h"
#include "event/coverage.h"
#include "event/event.h"
#include "store/imported.h"
#include "store/retention.h"
#include "util/err.h"
#include "util/log.h"

#define STORE_DEFAULT_PATH "/var/lib/culprit/culprit.db"
#define STORE_SPOOL_DIRECTORY "/run/culprit" /* on a file system in memory: writing there waits for no disk */

struct store;

struct store_options {
    const char *path;    /* NULL = STORE_DEFAULT_PATH; its directory is made with mode 0700 */
    const char *spool_directory; /* where writers keep what is not in the store yet; NULL: nowhere, and nothing is taken over */
    bool read_only;
    bool patient;        /* whoever adds waits for room as long as it takes: nothing else depends on it (import) */
    bool retry;          /* it only records, and is opened by the writer's thread: a store that cannot be used now is
                          * tried again; store_open() does not fail for that, and no question can be asked */
    const struct store_retention *retention; /* as store_retain(); NULL: nothing is removed */
    const struct log *log;
};

/* -EACCES, -EPERM (somebody else owns the file, or may write it), -ENOSPC, -EBUSY (locked for longer than 2 s), -EBADMSG (not a database, or damaged),
 * -EPROTO (written by a newer culprit), -ENOENT (read_only and not there): one clear line in err. */
int store_open(const struct store_options *options, struct store **ret, struct err *err);
/* Writes what is queued. */
void store_close(struct store *store);

/*
 * Each copies what it needs and returns at once. What the writer cannot write now is kept and tried again, while
 * memory for it lasts; what does not fit is missing, and that becomes a gap in the store. The log says when it begins
 * and ends. Returned is the error of the last attempt (-ENOSPC ...), or -ENOBUFS: this one is missing.
 */
int store_add_event(struct store *store, struct event *event); /* sets event->spooled, if that is 0 */
/* It will be added, changed perhaps, in the order of these numbers: kept as it is now for whoever finds the store after kill -9. Sets
 * event->spooled to `number`, one that nothing has yet, or, if that is 0, to one after all others that leaves some free before
 * the next; the rest of the event is as it would be added. */
void store_expect_event(struct store *store, struct event *event, uint64_t number);
/* What was added or expected is kept from now on, also if we are killed. At each turn of the loop. */
void store_keep(struct store *store);
int store_add_life(struct store *store, const struct lifecycle_event *life);
int store_add_gap(struct store *store, const struct gap *gap);
/* A span of observation begins, of which nothing is claimed before store_seen() is called; *ret_id ends it with store_end_coverage(). */
int store_begin_coverage(struct store *store, const struct coverage *coverage, uint64_t *ret_id);
/* One more place that it looks at. */
int store_add_coverage_place(struct store *store, uint64_t id, const struct coverage_place *place);
int store_end_coverage(struct store *store, uint64_t id, uint64_t to_ns);

/* Written in order with the events added before it. Copies what it needs. */
int store_add_imported(struct store *store, const struct store_imported *imported);

/* All that happened before this time (CLOCK_REALTIME) was added: how far open coverage reaches if we are killed now.
 * 0: that is not known now, as it was said before. Called often, also where nothing happens: the log's lines about the store are written here too. */
void store_seen(struct store *store, uint64_t seen_ns);

/* What is too old, or too much, is removed from now on, as the writer's thread finds time. Copies what it needs. -ENOMEM. */
int store_retain(struct store *store, const struct store_retention *retention);

/* Everything added before is on disk, or the error of one more attempt. */
int store_flush(struct store *store, struct err *err);

/* How much was added so far; once store_has() of it is true, that is on disk. Neither waits. */
uint64_t store_mark(struct store *store);
bool store_has(struct store *store, uint64_t mark);

/* Of a store that was opened to be read: a number that is another one once somebody has written to it. */
int store_version(struct store *store, uint32_t *ret, struct err *err);

struct store_state {
    bool recording;          /* it could be used, at least for a time */
    int error;               /* of the last attempt */
    uint64_t missing;        /* events that are not in it, and while there is an error may never be */
    uint64_t from_ns, to_ns; /* their times, CLOCK_REALTIME */
    uint64_t bytes;          /* of the file and SQLite's log, some seconds ago at most; 0: not known */
    char fault[LIMIT_ERR];   /* what of it cannot be kept small, as words: it is damaged, and the rest goes on; "": nothing */
};
/* Any thread. All 0 for a store that was opened to be read. */
void store_state(const struct store *store, struct store_state *ret);

/* The writer's thread does not share process and container records: each store_add_...() copies. */
