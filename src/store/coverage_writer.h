/* SPDX-License-Identifier: MIT */
/*
 * The part of the writer that keeps spans of observation: tables coverage and coverage_place of store/schema.c. A message
 * names a span by a number, which holds from MESSAGE_COVERAGE to MESSAGE_COVERAGE_END. The writer's thread owns it.
 * Messages are those of store/message.h, without their kind. Returns 0, MESSAGE_MALFORMED or what
 * db_run() returns, with `err` set.
 */
#pragma once

#include <stdint.h>

#include "store/spool_format.h"
#include "store/sqlite.h"
#include "util/bytes.h"

struct coverage_writer;

/* `db` and `path` are borrowed until coverage_writer_free(). -ENOMEM, or as db_prepare(). */
int coverage_writer_new(sqlite3 *db, const char *path, struct coverage_writer **ret, struct err *err);
void coverage_writer_free(struct coverage_writer *w); /* NULL is fine */

/* Inserts a span. seen_ns: CLOCK_REALTIME, the span is known to be alive until then. A span that goes on is sent again after
 * the store was reopened: if this writer knows its number, nothing is written. */
int coverage_writer_begin(struct coverage_writer *w, struct bytes m, uint64_t seen_ns, struct err *err);
/* A place of a span; the place of a span that is not known is ignored. */
int coverage_writer_add_place(struct coverage_writer *w, struct bytes m, struct err *err);
int coverage_writer_end(struct coverage_writer *w, struct bytes m, struct err *err);

/* All spans that go on are alive until `seen_ns`, and whoever observes is at now_ns, both CLOCK_REALTIME; an adopted one's observer
 * has ended. What `stored` counts is in the store with this transaction. One that
 * began later than now_ns, by a clock that was set back since, begins now. */
int coverage_writer_mark_alive(struct coverage_writer *w, uint64_t seen_ns, uint64_t now_ns, const struct spool_numbers *stored,
                               struct err *err);

/* As writer_adopt(). */
int coverage_writer_adopt(struct coverage_writer *w, struct bytes observer, struct spool_numbers *ret_stored, struct err *err);

/* As writer_disown(). */
int coverage_writer_disown(struct coverage_writer *w, struct err *err);

/* Around a transaction: what save() saw is restored by roll_back(). */
void coverage_writer_save(struct coverage_writer *w);
void coverage_writer_roll_back(struct coverage_writer *w);
