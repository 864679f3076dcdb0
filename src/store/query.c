/* SPDX-License-Identifier: MIT */
#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

#include "store/block.h"
#include "store/coverage.h"
#include "store/floor.h"
#include "store/handle.h"
#include "store/load.h"
#include "store/schema.h"
#include "store/select.h"
#include "store/stream.h"
#include "util/limits.h"

#define SAMPLE_REACH 4096    /* rows behind a group's first event that are looked at for more of it */
#define SAMPLE_BUDGET 100000 /* such rows for one question */

int store_each_event(struct store *store, const struct store_query *asked,
                     int (*each)(void *data, struct event *event), void *data, struct err *err)
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

uint64_t store_count_events(struct store *store, const struct store_query *asked, struct err *err)
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

/* ---- rollup ---- */

struct group_key {
    int64_t suspect, suspect_rest, operation, error, victim, victim_kind;
};

struct group {
    struct group_key key;
    uint64_t count, first_ns, last_ns;
    int64_t first_event;
    UT_hash_handle hh;
};

static int add_group(struct group **groups, const struct group_key *key, uint64_t count,
                     uint64_t first_ns, uint64_t last_ns, int64_t first_event)
{
    struct group *g;

    HASH_FIND(hh, *groups, key, sizeof(*key), g);
    if (!g) {
        g = calloc(1, sizeof(*g));
        if (!g)
            return -ENOMEM;
        g->key = *key;
        g->first_ns = UINT64_MAX;
        HASH_ADD(hh, *groups, key, sizeof(g->key), g);
    }
    g->count += count;
    if (first_ns < g->first_ns || (first_ns == g->first_ns && first_event < g->first_event)) { /* as a row or in a block */
        g->first_ns = first_ns;
        g->first_event = first_event;
    }
    g->last_ns = last_ns > g->last_ns ? last_ns : g->last_ns;
    return 0;
}

/* Runs a statement whose columns are suspect, suspect_rest, operation, error, victim, victim_kind, count,
 * first_ns, last_ns, first_event. Grouped here: SQL has no way to ask for the row of a minimum beside a maximum. */
static int collect(struct store *store, const struct store_query *query, const char *sql,
                   struct group **groups, struct err *err)
{
    sqlite3_stmt *rows = NULL;
    int r = db_prepare(store->db, store->path, sql, &rows, err), code = SQLITE_DONE;

    if (r == 0)
        select_bind(query, rows);
    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        struct group_key key;
        int64_t v[10];

        for (int i = 0; i < 10; i++)
            v[i] = sqlite3_column_int64(rows, i);
        memset(&key, 0, sizeof(key)); /* compared as bytes */
        key.suspect = v[0];
        key.suspect_rest = v[1];
        key.operation = v[2];
        key.error = v[3];
        key.victim = v[4];
        key.victim_kind = v[5];
        if (v[6] > 0)
            r = add_group(groups, &key, (uint64_t)v[6], (uint64_t)v[7], (uint64_t)v[8], v[9]);
    }
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(rows);
    return r;
}

/* Is there a counted row that lies in the time asked for with a part of it only? */
static int has_partial(struct store *store, const struct store_query *query, bool *ret,
                       struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *row = NULL;
    int r;

    *ret = false;
    sbuf_addf(&sql, "SELECT 1 FROM rollup %s WHERE ", select_rollup_index(query));
    select_rollup(query, &sql);
    sbuf_add_str(&sql, " AND (");
    if (query->since_ns)
        sbuf_add_str(&sql, "(first_ns < ?3 AND last_ns >= ?3)");
    if (query->until_ns)
        sbuf_addf(&sql, "%s(first_ns <= ?4 AND last_ns > ?4)", query->since_ns ? " OR " : "");
    if (query->watch_floors) /* counted before it was kept of which watch */
        sbuf_addf(&sql, "%s(hour = 0 AND first_ns < (SELECT max(floor_ns) FROM watch))",
                  query->since_ns || query->until_ns ? " OR " : "");
    sbuf_add_str(&sql, ") LIMIT 1");
    r = db_prepare(store->db, store->path, sbuf_str(&sql), &row, err);
    if (r == 0) {
        select_bind(query, row);
        *ret = sqlite3_step(row) == SQLITE_ROW;
    }
    sqlite3_finalize(row);
    return r;
}

static int collect_rollup(struct store *store, const struct store_query *query,
                          struct group **groups, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

    sbuf_addf(&sql,
              "SELECT suspect, %s, operation, error, victim, victim_kind, count, first_ns, "
              "last_ns, first_event FROM rollup %s WHERE ",
              store->has.suspect_rest ? "suspect_rest" : "0", select_rollup_index(query));
    select_rollup(query, &sql);
    if (query->since_ns)
        sbuf_add_str(&sql, " AND first_ns >= ?3");
    if (query->until_ns)
        sbuf_add_str(&sql, " AND last_ns <= ?4");
    return collect(store, query, sbuf_str(&sql), groups, err);
}

/* Events that are read one by one. */
static int collect_events(struct store *store, const struct store_query *query, enum select_part part,
                          const char *from, struct group **groups, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

    sbuf_addf(&sql,
              "SELECT e.suspect, %s, e.operation, e.error, ifnull(e.victim, 0), e.victim_kind, 1, "
              "e.time_ns, e.time_ns, e.row %s WHERE ",
              store->has.suspect_rest ? "e.suspect_rest" : "0", from);
    select_condition(query, part, &sql);
    return collect(store, query, sbuf_str(&sql), groups, err);
}

static int collect_groups(struct store *store, const struct store_query *query,
                          struct group **groups, struct err *err)
{
    /* of anybody's files some are in two places at once, which the counted rows cannot distinguish */
    bool twice = select_has_host_path(query), partial = twice || (query->any_victim && bytes_known(query->path));
    enum select_part part;
    int r = 0;

    /* The counted rows know whole directories: what lies in the time with a part is read. */
    if (!partial && (query->since_ns || query->until_ns || query->watch_floors))
        r = has_partial(store, query, &partial, err);
    if (r == 0 && !partial)
        r = collect_rollup(store, query, groups, err);
    if (r < 0 || (!partial && !bytes_known(query->path)))
        return r;
    part = twice ? SELECT_ALL : partial ? SELECT_NEAR : SELECT_ITSELF;
    r = collect_events(store, query, part,
                       part == SELECT_NEAR ? "FROM event e INDEXED BY event_time" : "FROM event e", groups, err);
    if (r == 0 && store->has.blocks)
        r = select_blocks(store, query, part, err);
    if (r == 0 && store->has.blocks)
        r = collect_events(store, query, part, SELECT_FROM_BLOCKS, groups, err);
    return r;
}

static int by_time(const struct group *a, const struct group *b)
{
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    return a->first_event < b->first_event ? -1 : a->first_event > b->first_event;
}

/* Asked for with parameters from NEAR_FIRST on: first and last row, suspect, operation, error, victim, the suspect's rest, how many.
 * The plus signs keep the other indexes out of it: the range of rows is short. */
#define NEAR_FIRST 8
#define NEAR                                                                                                  \
    " AND e.row >= ?8 AND e.row < ?9 AND +e.suspect = ?10 AND +e.operation = ?11 AND +e.error = ?12 AND " \
    "ifnull(+e.victim, 0) = ?13 AND ?14 = "
#define NEAR_LAST " ORDER BY row LIMIT ?15"

static int prepare_near(struct store *store, const struct store_query *query, sqlite3_stmt **ret, struct err *err)
{
    const char *rest = store->has.suspect_rest ? "+e.suspect_rest" : "0";
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

    sbuf_add_str(&sql, "SELECT e.row AS row FROM event e WHERE ");
    select_condition(query, SELECT_NEAR, &sql);
    sbuf_addf(&sql, NEAR "%s", rest);
    if (store->has.blocks) {
        sbuf_addf(&sql,
                  " UNION ALL SELECT e.row FROM block b CROSS JOIN packed(b.row) e "
                  "WHERE b.row > ?8 - %d AND b.row < ?9 AND ",
                  BLOCK_MAX);
        select_condition(query, SELECT_NEAR, &sql);
        sbuf_addf(&sql, NEAR "%s", rest);
    }
    sbuf_add_str(&sql, NEAR_LAST);
    return db_prepare(store->db, store->path, sbuf_str(&sql), ret, err);
}

/* The rows of the first events of a group, as far as they are near each other. */
static unsigned sample_rows(sqlite3_stmt *near, const struct store_query *query,
                            const struct group *g, int64_t *rows, unsigned max, int64_t *budget)
{
    int at = NEAR_FIRST;
    const int64_t values[] = { g->first_event, g->first_event + MIN(*budget, SAMPLE_REACH),
                               g->key.suspect, g->key.operation, g->key.error, g->key.victim, g->key.suspect_rest, max };
    unsigned n = 0;

    select_bind(query, near);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        sqlite3_bind_int64(near, at++, values[i]);
    while (n < max && sqlite3_step(near) == SQLITE_ROW)
        rows[n++] = sqlite3_column_int64(near, 0);
    *budget -= n == max ? rows[n - 1] - g->first_event : SAMPLE_REACH;
    sqlite3_reset(near);
    return n;
}

static int hand_out(struct loader *loader, const struct group *g, const int64_t *rows, unsigned n,
                    int (*each)(void *data, const struct store_rollup *rollup,
                                struct event *const *samples, unsigned sample_count),
                    void *data, struct err *err)
{
    struct event *samples[LIMIT_CASE_SAMPLES];
    struct store_rollup rollup = { .count = g->count, .first_ns = g->first_ns, .last_ns = g->last_ns };
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

int store_each_rollup(struct store *store, const struct store_query *asked, unsigned samples,
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
        r = collect_groups(store, query, &groups, err);
    if (r == 0)
        r = prepare_near(store, query, &near, err);
    if (r == 0)
        r = loader_new(store, &loader, err);
    if (samples > ARRAY_SIZE(rows))
        samples = ARRAY_SIZE(rows);
    HASH_SORT(groups, by_time);
    HASH_ITER(hh, groups, g, next) {
        unsigned n = 0;

        if (r == 0 && samples > 1 && budget > 0)
            n = sample_rows(near, query, g, rows, samples, &budget);
        if (n == 0) {
            rows[0] = g->first_event;
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

/* ---- the rest of the record ---- */

int store_each_life(struct store *store, const struct store_query *asked,
                    int (*each)(void *data, const struct lifecycle_event *life), void *data, struct err *err)
{
    struct loader *loader = NULL;
    sqlite3_stmt *rows = NULL;
    struct store_query kept, *query = &kept;
    int r, code = SQLITE_DONE;

    if (!asked->any_victim && !bytes_known(asked->container))
        return 0;
    r = select_begin(store, asked, &kept, err);
    if (r == 0)
        r = db_prepare(store->db, store->path,
                       query->any_victim
                           ? "SELECT container, time_ns, kind, exit_code, previous_name FROM life "
                             "WHERE time_ns >= ? AND time_ns <= ? ORDER BY time_ns, row"
                           : "SELECT container, time_ns, kind, exit_code, previous_name FROM life "
                             "WHERE time_ns >= ? AND time_ns <= ? AND container IN "
                             "(SELECT row FROM temp.asked_container) ORDER BY time_ns, row",
                       &rows, err);
    if (r == 0)
        r = loader_new(store, &loader, err);
    if (r == 0) {
        sqlite3_bind_int64(rows, 1, (sqlite3_int64)query->since_ns);
        sqlite3_bind_int64(rows, 2, query->until_ns ? (sqlite3_int64)query->until_ns : INT64_MAX);
    }
    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        struct lifecycle_event life = {
            .container = loader_container(loader, sqlite3_column_int64(rows, 0)),
            .time_ns = (uint64_t)sqlite3_column_int64(rows, 1),
            .kind = (enum lifecycle_kind)sqlite3_column_int(rows, 2),
            .exit_code = sqlite3_column_int(rows, 3),
        };

        if (!life.container)
            continue;
        if (sqlite3_column_type(rows, 4) != SQLITE_NULL)
            life.previous_name = arena_copy(&life.container->arena,
                                            (struct bytes){ sqlite3_column_blob(rows, 4),
                                                            (size_t)sqlite3_column_bytes(rows, 4) });
        r = each(data, &life);
        container_unref(life.container);
    }
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(rows);
    loader_free(loader);
    return r;
}

int store_each_gap(struct store *store, const struct store_query *asked,
                   int (*each)(void *data, const struct gap *gap), void *data, struct err *err)
{
    sqlite3_stmt *rows = NULL;
    int code = SQLITE_DONE;
    struct store_query kept, *query = &kept;
    int r = floor_apply(store, asked, &kept, err);

    if (r == 0)
        r = db_prepare(store->db, store->path,
                           "SELECT reason, count, from_ns, to_ns, sensor, text FROM gap "
                           "WHERE to_ns >= ? AND from_ns <= ? ORDER BY from_ns, row",
                           &rows, err);

    if (r == 0) {
        sqlite3_bind_int64(rows, 1, (sqlite3_int64)query->since_ns);
        sqlite3_bind_int64(rows, 2, query->until_ns ? (sqlite3_int64)query->until_ns : INT64_MAX);
    }
    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        struct gap gap = {
            .reason = (enum lost)sqlite3_column_int(rows, 0),
            .count = (uint64_t)sqlite3_column_int64(rows, 1),
            .from_ns = (uint64_t)sqlite3_column_int64(rows, 2),
            .to_ns = (uint64_t)sqlite3_column_int64(rows, 3),
            .sensor = (unsigned)sqlite3_column_int(rows, 4),
        };
        size_t n = (size_t)sqlite3_column_bytes(rows, 5);

        n = MIN(n, sizeof(gap.text) - 1);
        if (n)
            memcpy(gap.text, sqlite3_column_blob(rows, 5), n);
        r = each(data, &gap);
    }
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(rows);
    return r < 0 ? r : coverage_each_unclean(store, query, each, data, err);
}

int store_each_imported(struct store *store, int (*each)(void *data, const struct store_imported *imported),
                        void *data, struct err *err)
{
    sqlite3_stmt *rows = NULL;
    int code = SQLITE_DONE;
    int r = db_prepare(store->db, store->path,
                       "SELECT device, inode, offset, size, complete, head, tail FROM imported", &rows, err);

    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        const struct store_imported imported = {
            .device = (uint64_t)sqlite3_column_int64(rows, 0),
            .inode = (uint64_t)sqlite3_column_int64(rows, 1),
            .offset = (uint64_t)sqlite3_column_int64(rows, 2),
            .size = (uint64_t)sqlite3_column_int64(rows, 3),
            .complete = sqlite3_column_int(rows, 4),
            .head = { sqlite3_column_blob(rows, 5), (size_t)sqlite3_column_bytes(rows, 5) },
            .tail = { sqlite3_column_blob(rows, 6), (size_t)sqlite3_column_bytes(rows, 6) },
        };

        r = each(data, &imported);
    }
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(rows);
    return r;
}

int store_summarise(struct store *store, struct store_summary *ret, struct err *err)
{
    sqlite3_stmt *row = NULL;
    struct stat st;
    int r = db_prepare(store->db, store->path,
                       store->has.blocks
                           ? "SELECT (SELECT count(*) FROM event) + (SELECT ifnull(sum(count), 0) FROM block), "
                             "(SELECT min(t) FROM (SELECT min(time_ns) AS t FROM event UNION ALL "
                             "SELECT min(first_ns) FROM block)), "
                             "(SELECT max(t) FROM (SELECT max(time_ns) AS t FROM event UNION ALL "
                             "SELECT max(last_ns) FROM block))"
                           : "SELECT (SELECT count(*) FROM event), (SELECT min(time_ns) FROM event), "
                             "(SELECT max(time_ns) FROM event)",
                       &row, err);

    *ret = (struct store_summary){ 0 };
    if (r == 0 && sqlite3_step(row) == SQLITE_ROW) {
        ret->events = (uint64_t)sqlite3_column_int64(row, 0);
        ret->first_ns = (uint64_t)sqlite3_column_int64(row, 1);
        ret->last_ns = (uint64_t)sqlite3_column_int64(row, 2);
    } else if (r == 0) {
        r = db_error(store->db, store->path, err);
    }
    if (stat(store->path, &st) == 0)
        ret->bytes = (uint64_t)st.st_size;
    sqlite3_finalize(row);
    return r;
}
