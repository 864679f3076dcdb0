/* SPDX-License-Identifier: MIT */
/* The input is a filter's length, the filter of names, and what a store could hold as a block's data. */
#include <sqlite3.h>
#include <stdlib.h>

#include "event/event.h"
#include "fuzz.h"
#include "store/block.h"

#define EVENTS "40"

static sqlite3 *store(void)
{
    static sqlite3 *db;

    if (!db && (sqlite3_open(":memory:", &db) != SQLITE_OK ||
                sqlite3_exec(db,
                             "CREATE TABLE block (row INTEGER PRIMARY KEY, count INTEGER, data BLOB);"
                             "INSERT INTO block VALUES (1, " EVENTS ", NULL)",
                             NULL, NULL, NULL) != SQLITE_OK))
        abort();
    return db;
}

static void put(const uint8_t *data, size_t size)
{
    sqlite3_stmt *update = NULL;

    if (sqlite3_prepare_v2(store(), "UPDATE block SET data = ?", -1, &update, NULL) != SQLITE_OK ||
        sqlite3_bind_blob64(update, 1, data, size, SQLITE_STATIC) != SQLITE_OK || sqlite3_step(update) != SQLITE_DONE)
        abort();
    sqlite3_finalize(update);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct block_reader *reader = NULL;
    const struct block_event *packed = NULL;
    size_t names = size ? data[0] : 0;
    struct err err = ERR_INIT;
    int r;

    if (size < 1 + names)
        return 0;
    (void)block_may_have((struct bytes){ (const char *)data + 1, names }, bytes_of("name"));
    put(data + 1 + names, size - 1 - names);
    if (block_reader_new(store(), "fuzz", &reader, &err) < 0)
        abort();
    r = block_reader_begin(reader, 1, &err);
    while (r >= 0 && (r = block_reader_next(reader, &packed, &err)) > 0) {
        struct event *e = event_new();

        if (!e)
            abort();
        delta_read(&packed->values, e);
        event_free(e);
    }
    if (r < 0 && !err.text[0])
        abort();
    (void)block_reader_find(reader, 30, &packed, &err);
    (void)block_reader_find(reader, 7, &packed, &err);
    block_reader_free(reader);
    return 0;
}
