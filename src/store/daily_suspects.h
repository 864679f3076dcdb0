/* SPDX-License-Identifier: MIT */
/* The suspects of days, as a daily_maker adds to them: table daily_suspect (store/daily.h). */
#pragma once

#include <stdint.h>

#include "store/sqlite.h"

struct daily_suspects;

/* db, path: borrowed until daily_suspects_free(). -ENOMEM, or an error of SQLite's with err's text. */
int daily_suspects_new(sqlite3 *db, const char *path, struct daily_suspects **ret, struct err *err);
void daily_suspects_free(struct daily_suspects *suspects); /* NULL is fine */
/* Its index among those of the day, where it is added if it is not there yet. 1: those of that day are damaged, as err says. */
int daily_suspects_index(struct daily_suspects *suspects, int64_t day, const uint64_t words[2], int64_t *ret, struct err *err);
/* Writes those that were added. */
int daily_suspects_write(struct daily_suspects *suspects, struct err *err);
/* At the end of a transaction: somebody else may add some. */
void daily_suspects_forget(struct daily_suspects *suspects);
