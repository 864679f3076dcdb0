/* SPDX-License-Identifier: MIT */
/* A directory for a store that a test makes anew, and what several of the store's tests ask of the file in it. */
#pragma once

#include <errno.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/store.h"

static char dir[64], path[96]; /* of the directory; of the store's file, which is not there yet */

/* In memory: a disk that is busy for some seconds would be taken for one that hangs. kind: of test, a part of the directory's name.
 * below: of the file, "culprit.db" or "DIRECTORY/culprit.db". */
static inline void make_store_place(const char *kind, const char *below)
{
    snprintf(dir, sizeof(dir), "%s/culprit-%s.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", kind);
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

/* With these options, of which the path is filled in; closed by the caller. The thread of one that was closed may be at work on a slow
 * disk still: it is waited for. */
static inline struct store *open_store_with(struct store_options options)
{
    struct store *store = NULL;
    struct err err = ERR_INIT;
    int r = -EBUSY;

    options.path = path;
    for (unsigned i = 0; i < 60 && r == -EBUSY; i++) {
        if (i)
            usleep(100 * 1000);
        err = ERR_INIT;
        r = store_open(&options, &store, &err);
    }
    if (r < 0)
        fail_msg("%s", err.text);
    return store;
}
