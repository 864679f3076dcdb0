/* SPDX-License-Identifier: MIT */
#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/block.h"
#include "store/counted.h"
#include "store/handle.h"
#include "store/load.h"
#include "store/schema.h"
#include "store/select.h"
#include "store/stream.h"
#include "util/limits.h"

#define SAMPLE_REACH 4096    /* rows behind a group's first event that are looked at for more of it */
#define SAMPLE_BUDGET 50000  /* such rows for one question */

static int each_event(struct store *store, const struct store_query *asked, int (*each)(void *data, struct event *event), void *data,
                      struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *rows = NULL;
    struct loader *loader = NULL;
    struct store_query kept, *query = &kept;
    int r = select_begin(store, asked, &kept, err), code = SQLITE_DONE;

    if (r == 0 && stream_can(store, query))
        return stream_each(store, query, each, data, err);
    sbuf_add_str(&sql, "SELECT e.row AS row, e.time_ns AS time_ns FROM event e WHERE ");
    select_condition(query, SELECT_ALL, &sql);
    if (store->has.blocks) {
        sbuf_add_str(&sql, " UNION ALL SELECT e.row, e.time_ns " SELECT_FROM_BLOCKS "WHERE ");
        select_condition(query, SELECT_ALL, &sql);
    }
    sbuf_add_str(&sql, " ORDER BY time_ns, row");
    if (query->limit)
        sbuf_addf(&sql, " LIMIT %llu", (unsigned long long)query->limit);
    if (r == 0)
        r = select_blocks(store, query, SELECT_ALL, err);
    if (r == 0)
        r = db_prepare(store->db, store->path, sbuf_str(&sql), &rows, err);
    if (r == 0)
        r = loader_new(store, &loader, err);
    if (r == 0)
        select_bind(query, rows);
    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        struct event *e = NULL;

        r = loader_event(loader, sqlite3_column_int64(rows, 0), &e, err);
        if (r == -ENOENT)
            r = 0;
        else if (r == 0)
            r = each(data, e);
    }
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(rows);
    loader_free(loader);
    return r;
}

int store_each_event(struct store *store, const struct store_query *asked,
                     int (*each)(void *data, struct event *event), void *data, struct err *err)
{
    bool begun;
    int r = select_moment(store, &begun, err);

    if (r == 0)
        r = each_event(store, asked, each, data, err);
    select_moment_end(store, begun);
    return r;
}

static uint64_t count_events(struct store *store, const struct store_query *asked, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *rows = NULL;
    struct store_query kept, *query = &kept;
    uint64_t count = 0;

    if (select_begin(store, asked, &kept, err) < 0 || select_blocks(store, query, SELECT_ALL, err) < 0)
        return 0;
    sbuf_add_str(&sql, "SELECT (SELECT count(*) FROM event e WHERE ");
    select_condition(query, SELECT_ALL, &sql);
    if (store->has.blocks) {
        sbuf_add_str(&sql, ") + (SELECT count(*) " SELECT_FROM_BLOCKS "WHERE ");
        select_condition(query, SELECT_ALL, &sql);
    }
    sbuf_add_char(&sql, ')');
    if (db_prepare(store->db, store->path, sbuf_str(&sql), &rows, err) < 0)
        return 0;
    select_bind(query, rows);
    if (sqlite3_step(rows) == SQLITE_ROW)
        count = (uint64_t)sqlite3_column_int64(rows, 0);
    else
        (void)db_error(store->db, store->path, err);
    sqlite3_finalize(rows);
    return count;
}

uint64_t store_count_events(struct store *store, const struct store_query *asked, struct err *err)
{
    bool begun;
    uint64_t count = select_moment(store, &begun, err) < 0 ? 0 : count_events(store, asked, err);

    select_moment_end(store, begun);
    return count;
}

static int count_blocks(struct store *store, const struct store_query *asked, unsigned max, unsigned *ret, struct err *err)
{
    struct store_query kept;
    int r = select_begin(store, asked, &kept, err);

    return r < 0 ? r : select_count_blocks(store, &kept, max, ret, err);
}

int store_count_blocks(struct store *store, const struct store_query *asked, unsigned max, unsigned *ret, struct err *err)
{
    bool begun;
    int r = select_moment(store, &begun, err);

    *ret = 0;
    if (r == 0 && store->has.blocks)
        r = count_blocks(store, asked, max, ret, err);
    select_moment_end(store, begun);
    return r;
}

/* ---- rollup ---- */

/* Asked for with parameters from NEAR_FIRST on: first and last row, suspect, operation, error, victim, the suspect's rest, how many.
 * Before the condition, which costs more. The plus signs keep the other indexes out of it: the range of rows is short. Of a block's
 * events the table compares them itself (store/packed.c). */
#define NEAR_FIRST 8
#define NEAR                                                                                          \
    "e.row >= ?8 AND e.row < ?9 AND +e.suspect = ?10 AND +e.operation = ?11 AND +e.error = ?12 AND " \
    "ifnull(+e.victim, 0) = ?13 AND ?14 = %s AND "
#define NEAR_PACKED                                                                                                      \
    "e.suspect = ?10 AND e.operation = ?11 AND e.error = ?12 AND e.victim_row = ?13 AND %s = ?14 AND e.row >= ?8 AND " \
    "e.row < ?9 AND "
#define NEAR_LAST " ORDER BY row LIMIT ?15"

static int prepare_near(struct store *store, const struct store_query *query, sqlite3_stmt **ret, struct err *err)
{
    const bool has_rest = store->has.suspect_rest;
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

    sbuf_addf(&sql, "SELECT e.row AS row FROM event e WHERE " NEAR, has_rest ? "+e.suspect_rest" : "0");
    select_condition(query, SELECT_NEAR, &sql);
    if (store->has.blocks) {
        sbuf_addf(&sql,
                  " UNION ALL SELECT e.row FROM block b CROSS JOIN packed(b.row) e "
                  "WHERE b.row > ?8 - %d AND b.row < ?9 AND " NEAR_PACKED,
                  BLOCK_MAX, has_rest ? "e.suspect_rest" : "0");
        select_condition(query, SELECT_NEAR, &sql);
    }
    sbuf_add_str(&sql, NEAR_LAST);
    return db_prepare(store->db, store->path, sbuf_str(&sql), ret, err);
}

/* The rows of the first events of a group, as far as they are near each other. */
static unsigned sample_rows(sqlite3_stmt *near, const struct store_query *query,
                            const struct group *g, int64_t *rows, unsigned max, int64_t *budget)
{
    int at = NEAR_FIRST;
    const int64_t values[] = { g->all.first_event, g->all.first_event + MIN(*budget, SAMPLE_REACH),
                               g->key.suspect, g->key.operation, g->key.error, g->key.victim, g->key.suspect_rest, max };
    unsigned n = 0;

    select_bind(query, near);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        sqlite3_bind_int64(near, at++, values[i]);
    while (n < max && sqlite3_step(near) == SQLITE_ROW)
        rows[n++] = sqlite3_column_int64(near, 0);
    *budget -= n == max ? rows[n - 1] - g->all.first_event : SAMPLE_REACH;
    sqlite3_reset(near);
    return n;
}

static int hand_out(struct loader *loader, const struct group *g, const int64_t *rows, unsigned n,
                    int (*each)(void *data, const struct store_rollup *rollup,
                                struct event *const *samples, unsigned sample_count),
                    void *data, struct err *err)
{
    struct event *samples[LIMIT_CASE_SAMPLES];
    struct store_rollup rollup = { .count = g->all.count, .first_ns = g->all.first_ns, .last_ns = g->all.last_ns };
    unsigned count = 0;
    int r = 0;

    for (unsigned i = 0; i < n && count < ARRAY_SIZE(samples) && r == 0; i++) {
        r = loader_event(loader, rows[i], &samples[count], err);
        if (r == 0)
            count++;
        else if (r == -ENOENT)
            r = 0;
    }
    if (r == 0 && count > 0) {
        rollup.sample = samples[0];
        r = each(data, &rollup, samples, count);
    }
    while (count > 0)
        event_free(samples[--count]);
    return r;
}

static int each_rollup(struct store *store, const struct store_query *asked, unsigned samples,
                       int (*each)(void *data, const struct store_rollup *rollup,
                                   struct event *const *samples, unsigned sample_count),
                       void *data, struct err *err)
{
    struct group *groups = NULL, *g, *next;
    struct loader *loader = NULL;
    sqlite3_stmt *near = NULL;
    int64_t rows[LIMIT_CASE_SAMPLES], budget = SAMPLE_BUDGET;
    struct store_query kept, *query = &kept;
    int r = select_begin(store, asked, &kept, err);

    if (r == 0)
        r = counted_collect(store, query, &groups, err);
    if (r == 0)
        r = prepare_near(store, query, &near, err);
    if (r == 0)
        r = loader_new(store, &loader, err);
    if (samples > ARRAY_SIZE(rows))
        samples = ARRAY_SIZE(rows);
    groups_sort(&groups);
    HASH_ITER(hh, groups, g, next) {
        unsigned n = 0;

        if (r == 0 && samples > 1 && budget > 0)
            n = sample_rows(near, query, g, rows, samples, &budget);
        if (n == 0) {
            rows[0] = g->all.first_event;
            n = 1;
        }
        if (r == 0)
            r = hand_out(loader, g, rows, n, each, data, err);
        HASH_DEL(groups, g);
        free(g);
    }
    sqlite3_finalize(near);
    loader_free(loader);
    return r;
}

int store_each_rollup(struct store *store, const struct store_query *asked, unsigned samples,
                      int (*each)(void *data, const struct store_rollup *rollup,
                                  struct event *const *samples, unsigned sample_count),
                      void *data, struct err *err)
{
    bool begun;
    int r = select_moment(store, &begun, err);

    if (r == 0)
        r = each_rollup(store, asked, samples, each, data, err);
    select_moment_end(store, begun);
    return r;
}
