/* SPDX-License-Identifier: MIT */
/* The directories that daily counts are of: each has a row, and so has each one above it that counts what is below. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/daily.h"
#include "util/hash_table.h"

struct daily_folders;

/* A directory, and the rows of those at and above it that have what is below. */
struct daily_folder {
    int64_t directory;
    int64_t at[DAILY_DEPTH + 1];
    unsigned count;
    bool is_deep;
    UT_hash_handle hh;
};

/* db, path: borrowed until daily_folders_free(). -errno, with err's text. */
int daily_folders_new(sqlite3 *db, const char *path, struct daily_folders **ret, struct err *err);
void daily_folders_free(struct daily_folders *folders); /* NULL is fine */

/* *ret: of the folders', until the next daily_folders_forget(). Adds the rows that are missing. -ENOMEM, an error of the store's. */
int daily_folders_find(struct daily_folders *folders, int64_t directory, const struct daily_folder **ret, struct err *err);
/* Is this one of those above, or itself? */
bool daily_folder_has(const struct daily_folder *f, int64_t directory);
/* Another process may change the rows: what is known of them is read anew. */
void daily_folders_forget(struct daily_folders *folders);
