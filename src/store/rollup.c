/* SPDX-License-Identifier: MIT */
#include "store/rollup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash_table.h"
#include "util/macro.h"

#define RECENT 16 /* rows at hand: a storm is a few operations, over and over */

struct rollup_row {
    struct rollup_key key;
    int64_t count, first_event;
    uint64_t first_ns, last_ns;
    UT_hash_handle hh;
};

struct rollup {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *insert;
    struct rollup_row *rows, *recent[RECENT];
};

int rollup_new(sqlite3 *db, const char *path, struct rollup **ret, struct err *err)
{
    struct rollup *u = calloc(1, sizeof(*u));
    int r;

    if (!u)
        return err_set(err, -ENOMEM, "the store");
    u->db = db;
    u->path = path;
    r = db_prepare(db, path, ROLLUP_INSERT, &u->insert, err);
    if (r < 0) {
        rollup_free(u);
        return r;
    }
    *ret = u;
    return 0;
}

void rollup_clear(struct rollup *u)
{
    struct rollup_row *row, *next;

    HASH_ITER(hh, u->rows, row, next) {
        HASH_DEL(u->rows, row);
        free(row);
    }
    memset(u->recent, 0, sizeof(u->recent));
}

void rollup_free(struct rollup *u)
{
    if (!u)
        return;
    rollup_clear(u);
    sqlite3_finalize(u->insert);
    free(u);
}

static struct rollup_row *row_of(struct rollup *u, const struct rollup_key *key)
{
    struct rollup_row **recent = &u->recent[((uint64_t)key->operation * 3 + (uint64_t)key->place) % RECENT], *row = *recent;

    if (row && memcmp(&row->key, key, sizeof(*key)) == 0)
        return row;
    HASH_FIND(hh, u->rows, key, sizeof(*key), row);
    if (!row) {
        row = calloc(1, sizeof(*row));
        if (!row)
            return NULL;
        row->key = *key;
        row->first_ns = UINT64_MAX;
        HASH_ADD(hh, u->rows, key, sizeof(row->key), row);
        HASH_FREE_IF_OUT(hh, row);
        if (!row)
            return NULL;
    }
    *recent = row;
    return row;
}

int rollup_count(struct rollup *u, const struct rollup_key *key, uint64_t time_ns, int64_t event)
{
    struct rollup_row *row = row_of(u, key);

    if (!row)
        return -ENOMEM;
    row->count++;
    if (time_ns < row->first_ns) {
        row->first_ns = time_ns;
        row->first_event = event;
    }
    row->last_ns = MAX(row->last_ns, time_ns);
    return 0;
}

static int write_row(struct rollup *u, const struct rollup_row *row, struct err *err)
{
    const struct rollup_key *k = &row->key;
    const int64_t values[] = { k->directory, k->place, k->other, k->suspect, k->suspect_rest, k->operation, k->error, k->victim,
                               k->victim_kind, k->watch, k->hour, row->count, (int64_t)row->first_ns, (int64_t)row->last_ns,
                               row->first_event };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        sqlite3_bind_int64(u->insert, (int)i + 1, values[i]);
    return db_run(u->db, u->path, u->insert, err);
}

int rollup_write(struct rollup *u, struct err *err)
{
    int r = 0;

    for (struct rollup_row *row = u->rows; row && r == 0; row = (struct rollup_row *)row->hh.next)
        r = write_row(u, row, err);
    rollup_clear(u);
    return r;
}
