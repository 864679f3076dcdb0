/* SPDX-License-Identifier: MIT */
/*
 * Removes what is older than it is to be kept, and what only that referred to, in steps of some milliseconds. First the
 * time before which nothing counts moves on (table watch, store/floor.h), in one transaction; what is before it goes
 * after that. A crash between two steps leaves something that no question finds, and that the next round removes.
 */
#pragma once

#include "store/retention.h"
#include "store/rows_in_use.h"
#include "store/sqlite.h"

struct pruner;

/* `db` and `path` are borrowed, the retention is copied. */
int pruner_new(sqlite3 *db, const char *path, const struct store_retention *retention, struct pruner **ret, struct err *err);
void pruner_free(struct pruner *pruner); /* NULL is fine */

/* The disk is full: the next round removes the oldest part of what there is, but for RETENTION_SIZE_MIN, and gives back what room_keep()
 * needs. */
void pruner_make_room(struct pruner *pruner);
bool pruner_makes_room(const struct pruner *pruner); /* that round is not over */
void pruner_end_room(struct pruner *pruner);         /* nor will it be: what is left of it is not due any more */

/*
 * What cannot be done, as words: it is left out, or tried again after longer and longer pauses, while the rest goes on. "": nothing. Valid
 * until the next step.
 */
const char *pruner_fault(const struct pruner *pruner);

/*
 * One step, if there is something to do: 1, and 0 if there is nothing for now.
 * now_ns: CLOCK_REALTIME
 * in_use: NULL where another process may write to the store as well: then rows that others refer to stay
 * *ret_forget: rows of directories or watches were removed
 */
int pruner_step(struct pruner *pruner, uint64_t now_ns, const struct rows_in_use *in_use, bool *ret_forget, struct err *err);
