/* SPDX-License-Identifier: MIT */
/* SQLite's calls with our errors. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <sys/types.h>

#include "util/bytes.h"
#include "util/err.h"

struct stat;

/*
 * Opens (and makes) the file, private to its owner. read_only: nothing is made. A file that somebody else owns or
 * may write is refused (-EPERM), and so are the files that SQLite keeps beside it. Errors as in store.h.
 * ret_st: of the file that is open; may be NULL
 */
int db_open(const char *path, bool read_only, sqlite3 **ret, struct stat *ret_st, struct err *err);
/* What is at the path now, without opening it; errors as of db_open(). */
int db_look(const char *path, struct stat *ret, struct err *err);

/* Renames the file to PATH.damaged-TIME, if it still is this one. */
int db_set_aside(const char *path, dev_t device, ino_t inode, struct err *err);

/* SQLite's last error as -errno, with a line that says what to do about `path`. */
int db_error(sqlite3 *db, const char *path, struct err *err);

/* SQL that gives no rows; several statements too. Errors as of db_error(). */
int db_exec(sqlite3 *db, const char *path, const char *sql, struct err *err);
/* To be used many times; the caller's to finalize. -EBADMSG: another program's database, which lacks the tables. */
int db_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **ret, struct err *err);
/* Runs a statement that gives no rows, and makes it ready for the next time. */
int db_run(sqlite3 *db, const char *path, sqlite3_stmt *statement, struct err *err);
/* PRAGMA user_version: which schema it has, 0 for a new file. */
int db_user_version(sqlite3 *db, const char *path, int *ret, struct err *err);

/* Valid until the statement's next step. */
static inline struct bytes db_column_bytes(sqlite3_stmt *statement, int column)
{
    const void *data;

    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return BYTES_NULL;
    data = sqlite3_column_blob(statement, column);
    return (struct bytes){ data ? data : "", (size_t)sqlite3_column_bytes(statement, column) };
}

/* BYTES_NULL is NULL in SQL. Not copied: b must live until the statement has run. */
static inline void db_bind_bytes(sqlite3_stmt *statement, int at, struct bytes b)
{
    if (b.data)
        sqlite3_bind_blob64(statement, at, b.data, b.len, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, at);
}
