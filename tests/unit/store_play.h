/* SPDX-License-Identifier: MIT */
/* What the tests of the store share: a store that is opened, filled and asked. */
#pragma once

#include "make.h"
#include "store_place.h"

#include <sqlite3.h>

#include "store/fields.h"
#include "store/query.h"
#include "util/limits.h"

static inline int set_up(void **state)
{
    (void)state;
    make_store_place("store", "store/culprit.db");
    return 0;
}

static inline struct store *open_store(bool read_only)
{
    return open_store_with((struct store_options){ .read_only = read_only });
}

static inline void add(struct store *store, struct event *e)
{
    assert_int_equal(store_add_event(store, e), 0);
    event_free(e);
}

static inline void set_id(struct event *e, uint64_t id)
{
    memcpy(e->id, &id, sizeof(id));
}

static inline void same_fields(const struct field *fields, const void *a, const void *b)
{
    struct sbuf x = SBUF_INIT, y = SBUF_INIT;

    for (const struct field *f = fields; f->column; f++) {
        const struct field one[] = { *f, { 0 } };

        sbuf_clear(&x);
        sbuf_clear(&y);
        fields_pack(one, a, &x);
        fields_pack(one, b, &y);
        if (!bytes_equal(sbuf_bytes(&x), sbuf_bytes(&y)))
            fail_msg("%s is another one after the round trip", f->column);
    }
    sbuf_done(&x);
    sbuf_done(&y);
}

struct collected {
    struct event *events[64];
    unsigned count;
};

static inline int collect(void *data, struct event *e)
{
    struct collected *c = data;

    assert_in_range(c->count, 0, 63);
    c->events[c->count++] = e;
    return 0;
}

static inline void release(struct collected *c)
{
    while (c->count)
        event_free(c->events[--c->count]);
}

static inline uint64_t sql_number(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    uint64_t n;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    n = (uint64_t)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return n;
}

static inline int count_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples,
                        unsigned sample_count)
{
    uint64_t *counts = data;

    assert_in_range(sample_count, 1, LIMIT_CASE_SAMPLES);
    if (rollup->count < sample_count)
        fail_msg("%llu counted, %u shown: %.*s", (unsigned long long)rollup->count, sample_count,
                 (int)samples[0]->path.len, samples[0]->path.data);
    assert_true(samples[0]->time_ns == rollup->first_ns);
    assert_true(rollup->first_ns <= rollup->last_ns);
    for (unsigned i = 1; i < sample_count; i++)
        assert_int_equal(samples[i]->operation, samples[0]->operation);
    counts[rollup->sample->operation] += rollup->count;
    return 0;
}

static inline uint64_t ask(struct store *store, const char *victim, const char *file)
{
    struct store_query q = { .path = bytes_of(file), .container = bytes_of(victim) };
    struct err err = ERR_INIT;

    return store_count_events(store, &q, &err);
}

static inline void sql(const char *text, const void *blob, size_t len)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &s, NULL), SQLITE_OK);
    if (blob)
        sqlite3_bind_blob64(s, 1, blob, len, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
