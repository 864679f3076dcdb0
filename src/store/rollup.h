/* SPDX-License-Identifier: MIT */
/* The events of each directory counted, so that a question need not read them: table rollup of store/schema.c. */
#pragma once

#include <stdint.h>

#include "store/sqlite.h"

#define ROLLUP_HOUR_NS (3600 * NS_PER_S)

/* A row that was counted is added to what is there: its key, count, first and last time, first event. */
#define ROLLUP_INSERT                                                                                 \
    "INSERT INTO rollup VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET " \
    "count = count + excluded.count, last_ns = max(last_ns, excluded.last_ns), "                      \
    "first_event = CASE WHEN excluded.first_ns < first_ns THEN excluded.first_event "                 \
    "ELSE first_event END, first_ns = min(first_ns, excluded.first_ns)"

struct rollup;

struct rollup_key {
    int64_t directory, place, other, suspect, suspect_rest, operation, error, victim, victim_kind,
        watch, hour; /* as the columns are called */
};

/* db, path: borrowed until rollup_free(). -ENOMEM, or an error of SQLite's with err's text. rollup_clear() drops what was not written. */
int rollup_new(sqlite3 *db, const char *path, struct rollup **ret, struct err *err);
void rollup_free(struct rollup *rollup); /* NULL is fine */
void rollup_clear(struct rollup *rollup);
/* One more event of that kind: its time and row. -ENOMEM. */
int rollup_count(struct rollup *rollup, const struct rollup_key *key, uint64_t time_ns, int64_t event);
/* Adds what was counted to the table, and clears it. */
int rollup_write(struct rollup *rollup, struct err *err);
