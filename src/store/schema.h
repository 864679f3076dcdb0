/* SPDX-License-Identifier: MIT */
/*
 * The tables. `PRAGMA user_version` counts the migrations that were made; each is one function, and
 * none is ever changed once released.
 */
#pragma once

#include "store/fields.h"
#include "store/sqlite.h"
#include "util/macro.h"

/* A machine that goes down without having ended us may lose what was written last, since no commit waits for the disk: kernels write what
 * is 30 s old, and look each 5 s; as much again for slow ones. */
#define STORE_UNWRITTEN_NS (60 * NS_PER_S)
#define STORE_ALIVE_NS (2 * NS_PER_S) /* whoever observes writes coverage.beat_ns so often, and with each batch */
#define STORE_DEAD_NS (10 * NS_PER_S) /* whoever has not done so for so long does not observe any more */
#define SCHEMA_ID 0x63756c70 /* application_id: "culp" */

/* Brings the store to this version. -EPROTO: written by a newer culprit; -EBADMSG: not ours. */
int schema_migrate(sqlite3 *db, const char *path, struct err *err);
/* What a store of this version has; one that an older culprit wrote lacks some. */
struct schema_parts {
    bool blocks, suspect_rest, floors, daily, daily_sums, process_packs;
};
/* The same test without writing. */
int schema_check(sqlite3 *db, const char *path, struct schema_parts *ret, struct err *err);
/* False for a column that a newer culprit has come to have: a store that is only read is not changed. */
bool schema_has_column(sqlite3 *db, const char *path, const char *table, const char *column);
/* ", PREFIX.COLUMN" for each of them, or ", NULL": an older culprit's store lacks columns, and nothing is known of what
 * is in them. prefix: "" or "e." */
void schema_columns(sqlite3 *db, const char *path, const char *table, const struct field *fields, const char *prefix,
                    struct sbuf *out);
