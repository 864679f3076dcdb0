/* SPDX-License-Identifier: MIT */
/* The writer's side: messages become rows. One thread owns it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/spool_format.h"
#include "store/sqlite.h"

struct rows_in_use;
struct writer;

/* db, path: borrowed until writer_free(). -ENOMEM, or an error of SQLite's with err's text. */
int writer_new(sqlite3 *db, const char *path, struct writer **ret, struct err *err);
void writer_free(struct writer *writer); /* NULL is fine; the database stays open */

/* Spans that this process began in the file, and left it before they ended: it was moved away and came back. They have ended
 * when they were last said to go on. */
int writer_disown(struct writer *writer, struct err *err);

/*
 * One transaction for all messages. On failure nothing of it is written, and everything is as it was before the call:
 * the same messages may be tried again. MESSAGE_MALFORMED (message.h): these can never be written; -EBADMSG:
 * the store is damaged. `messages` may be empty: then only the coverage that is going on is marked as alive.
 * seen_ns: CLOCK_REALTIME, what happened before is in these messages or in those before · stored: what of the spool is in them
 * or in those before
 */
int writer_write(struct writer *writer, struct bytes messages, uint64_t seen_ns, uint64_t now_ns, const struct spool_numbers *stored,
                 struct err *err);

/* From now on this one goes on with the spans that another process began and did not end. *ret_stored: what of its spool is in
 * the store. 1: there are some; 0: there is none; an error of SQLite's. */
int writer_adopt(struct writer *writer, struct bytes observer, struct spool_numbers *ret_stored, struct err *err);

/* Rows that later messages may refer to, valid until the next call. False: somebody else may write, with rows of his own. */
bool writer_rows_in_use(const struct writer *writer, uint64_t now_ns, struct rows_in_use *ret);
/* Rows of directories and watches may have been removed. */
void writer_forget(struct writer *writer);
