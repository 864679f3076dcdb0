/* SPDX-License-Identifier: MIT */
/*
 * The counted rows of past hours (store/rollup.h) by day, packed: table daily of store/schema.c. A row is all that was counted
 * on one day in one directory of one container, or of the host; it takes a tenth of what the counted rows took.
 *
 * directory  of at most DAILY_DEPTH components: what is at and below it, so that a question of much reads little; deeper: what is
 *            in it; DAILY_ALL: everything
 * whose      the container whose files they are, by its row; 0: what is found by a place on the host, too
 * data       struct daily after struct daily, by their first time: what differs from the one before it, as varints
 *
 * sum        of these four, so that a byte which has become another one is damage and not somebody else's: 32 bits, 64 of rows of before;
 *            NULL: none was kept
 *
 * daily_suspect has the suspects of a day, each as two words, little endian; struct daily has their index.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/rollup.h"
#include "store/sqlite.h"
#include "util/bytes.h"
#include "util/sbuf.h"

#define DAILY_NS (24 * ROLLUP_HOUR_NS)
#define DAILY_DEPTH 3
#define DAILY_ALL 0 /* as a directory's row: none has that number */
#define DAILY_DAMAGED "%s is damaged: what was counted on day %lld cannot be read" /* the store, the day */
#define DAILY_SUSPECT (2 * sizeof(uint64_t)) /* bytes */

struct daily {
    /* place: 0 and 2 as in rollup; 1, and `other`: in deeper directories only, the others have each event once */
    int64_t place, other, suspect, operation, error, victim, victim_kind, watch;
    uint64_t count, first_ns, last_ns;
    int64_t first_event;
};

/* One more behind those that `before` was the last of; for the first one it is daily_before(). */
void daily_pack(const struct daily *daily, struct daily *before, struct sbuf *out);
struct daily daily_before(uint64_t day);
/* The one that comes next, from the one before it. 1; 0 at the end; -EBADMSG: damaged. */
int daily_next(struct bytes *data, struct daily *daily);

/* Of a row: directory, whose and day; of the suspects, 0, 0 and the day. There are 200,000 rows of a million events: as short as it may be. */
int64_t daily_sum(const int64_t key[3], struct bytes data);
/* Is the data what it was when the sum was made? `column` of the statement's row has that. */
bool daily_is_whole(sqlite3_stmt *row, int column, const int64_t key[3], struct bytes data);

/* Of the path: its components, or more than DAILY_DEPTH where a directory's row has only what is in it. "/" has none. */
unsigned daily_depth(struct bytes path);
/* What has `depth` components of the path, which has as many at least. */
struct bytes daily_above(struct bytes path, unsigned depth);

/* ---- making them: of a connection that writes ---- */

struct daily_maker;

/* db, path: borrowed until daily_maker_free(). -ENOMEM, or an error of SQLite's with err's text. */
int daily_maker_new(sqlite3 *db, const char *path, struct daily_maker **ret, struct err *err);
void daily_maker_free(struct daily_maker *maker); /* NULL is fine */
/* Within a transaction: some counted rows of hours that were over before before_ns. 1: there may be more of them; 0: there are none. */
int daily_maker_step(struct daily_maker *maker, uint64_t before_ns, struct err *err);
/* Counted rows that belong to a damaged row stay as they are, and those behind them go on: what is damaged, or "" where nothing was left
 * out the last time. Valid until the next step. */
const char *daily_maker_fault(const struct daily_maker *maker);
/* The transaction of the last step was rolled back. */
void daily_maker_roll_back(struct daily_maker *maker);
