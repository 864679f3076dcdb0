/* SPDX-License-Identifier: MIT */
/* What a question means in SQL: which directories and containers are asked for, and the conditions. */
#pragma once

#include "event/selector.h"
#include "store/handle.h"
#include "store/question.h"
#include "util/sbuf.h"

enum select_part {
    SELECT_ALL,
    SELECT_ITSELF, /* the path itself only, not what lies below it: the rest is counted in rollup */
    SELECT_NEAR,   /* all, among a few rows that something else picks: no index is to be used */
};

/*
 * What is asked in several statements is asked of one moment: a compactor moves events into blocks, and counted rows into days, and
 * between two statements one would be seen twice, or not at all. *ret_begun: for select_moment_end(), once all statements are done; false
 * within another moment, which goes on.
 */
int select_moment(struct store *store, bool *ret_begun, struct err *err);
void select_moment_end(struct store *store, bool begun);
/* Fills temp.asked_directory and temp.asked_container. *ret_kept: the question as far as the record goes back
 * (store/floor.h), which is asked from then on. */
int select_begin(struct store *store, const struct store_query *query, struct store_query *ret_kept, struct err *err);
/* Fills temp.asked_block: blocks that may have events of this part. They are asked as
 * "FROM temp.asked_block b CROSS JOIN packed(b.row) e" with the same condition, where store->has.blocks. */
int select_blocks(struct store *store, const struct store_query *query, enum select_part part, struct err *err);
/* How many that would be of all, up to max; they are not looked for beyond that. After select_begin(). */
int select_count_blocks(struct store *store, const struct store_query *query, unsigned max, unsigned *ret, struct err *err);
#define SELECT_FROM_BLOCKS "FROM temp.asked_block b CROSS JOIN packed(b.row) e "
/* A condition on event e, with parameters for select_bind(). */
void select_condition(const struct store_query *query, enum select_part part, struct sbuf *sql);
/* The same on rollup, for the directories at and below the path. */
/* "INDEXED BY ..." where one container is asked for: without statistics SQLite goes by the directory, which
 * thousands of containers may have. */
const char *select_rollup_index(const struct store_query *q);
void select_rollup(const struct store_query *query, struct sbuf *sql);
/* Binds ?1 to ?7, as far as the statement has them; returns the first parameter behind them. */
int select_bind(const struct store_query *query, sqlite3_stmt *statement);
/* A container's files are asked for by their place on the host as well. */
bool select_has_host_path(const struct store_query *query);
/* What the query means by its container. */
struct selector select_selector(const struct store_query *query);
/* Each container that the condition finds (its ?1 is `value`) and the selector means: handed to `each` with its row. */
int select_each_container(struct store *store, const char *condition, struct bytes value,
                          const struct selector *selector, int (*each)(void *data, int64_t row), void *data,
                          struct err *err);
