/* SPDX-License-Identifier: MIT */
/* A directory for a store that a test makes anew, and what several of the store's tests ask of the file in it. */
#pragma once

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/store.h"

static char dir[64], path[96]; /* of the directory; of the store's file, which is not there yet */

/* kind: of test, a part of the directory's name. below: of the file, "culprit.db" or "DIRECTORY/culprit.db". */
static inline void make_store_place(const char *kind, const char *below)
{
    snprintf(dir, sizeof(dir), "/tmp/culprit-%s.XXXXXX", kind);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/%s", dir, below);
}

static inline int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

/* The first column of the only row that `sql` gives, read beside a writer that may be at work. */
static inline int64_t number(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    int64_t n;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    n = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return n;
}

/* With these options, of which the path is filled in; closed by the caller. */
static inline struct store *open_store_with(struct store_options options)
{
    struct store *store = NULL;
    struct err err = ERR_INIT;

    options.path = path;
    if (store_open(&options, &store, &err) < 0)
        fail_msg("%s", err.text);
    return store;
}
