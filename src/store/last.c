/* SPDX-License-Identifier: MIT */
#include "store/query.h"

#include <errno.h>
#include <stdlib.h>

#include "store/floor.h"
#include "store/load.h"
#include "store/select.h"

/* By the three indexes of places; each alone, because an OR of them would be a scan. */
enum { BY_PATH, BY_PREVIOUS, BY_HOST, WAYS };

struct store_last {
    struct store *store;
    struct loader *loader;
    sqlite3_stmt *ways[WAYS], *packed[WAYS]; /* among rows; among blocks, where there are any */
};

/* Parameters: directory, name, since, until, operations. */
static int prepare(struct store_last *l, const struct store_query *query, int way, bool packed, struct err *err)
{
    static const char *const columns[WAYS] = { "", "previous_", "host_" };
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

    sbuf_addf(&sql,
              "SELECT e.row, e.time_ns FROM %s e.%sdirectory = (SELECT row FROM directory WHERE path = ?1) "
              "AND e.%sname = ?2 AND +e.error = 0 AND +e.time_ns >= ?3 AND +e.time_ns <= ?4 "
              "AND (?5 >> +e.operation) & 1",
              packed ? "directory d CROSS JOIN block_place p ON p.directory = d.row "
                       "CROSS JOIN block b ON b.row = p.block CROSS JOIN packed(b.row) e "
                       "WHERE d.path = ?1 AND may_have(p.names, ?2) AND b.last_ns >= ?3 AND b.first_ns <= ?4 AND "
                     : "event e WHERE",
              columns[way], columns[way]);
    /* the same place on the host is the same file, whichever container it was reported for */
    if (way != BY_HOST && !query->any_victim)
        sbuf_add_str(&sql, bytes_known(query->container)
                               ? " AND +e.victim IN (SELECT row FROM temp.asked_container)"
                               : " AND +e.victim_kind = 1");
    sbuf_addf(&sql, "%s ORDER BY e.time_ns DESC, e.row DESC LIMIT 1", floor_condition(query));
    return db_prepare(l->store->db, l->store->path, sbuf_str(&sql),
                      packed ? &l->packed[way] : &l->ways[way], err);
}

static void bind_times(sqlite3_stmt *s, const struct store_query *query)
{
    if (!s)
        return;
    sqlite3_bind_int64(s, 3, (sqlite3_int64)query->since_ns);
    sqlite3_bind_int64(s, 4, query->until_ns ? (sqlite3_int64)query->until_ns : INT64_MAX);
}

int store_last_new(struct store *store, const struct store_query *asked, struct store_last **ret,
                   struct err *err)
{
    struct store_query containers = { .container = asked->container, .any_victim = asked->any_victim };
    struct store_query kept, *query = &kept;
    struct store_last *l = calloc(1, sizeof(*l));
    int r;

    if (!l)
        return err_set(err, -ENOMEM, "the store");
    l->store = store;
    r = select_begin(store, &containers, &kept, err);
    if (r == 0)
        r = floor_apply(store, asked, &kept, err);
    for (int way = 0; way < WAYS && r == 0; way++) {
        r = prepare(l, query, way, false, err);
        if (r == 0 && store->has.blocks)
            r = prepare(l, query, way, true, err);
        bind_times(l->ways[way], query);
        bind_times(l->packed[way], query);
    }
    if (r == 0)
        r = loader_new(store, &l->loader, err);
    if (r < 0) {
        store_last_free(l);
        return r;
    }
    *ret = l;
    return 0;
}

void store_last_free(struct store_last *l)
{
    if (!l)
        return;
    for (int way = 0; way < WAYS; way++) {
        sqlite3_finalize(l->ways[way]);
        sqlite3_finalize(l->packed[way]);
    }
    loader_free(l->loader);
    free(l);
}

static int ask_one(struct store_last *l, sqlite3_stmt *s, struct bytes path, uint64_t operations, int64_t *row,
                   int64_t *time_ns, struct err *err)
{
    int code, r = 0;

    if (!s || !path.len)
        return 0;
    db_bind_bytes(s, 1, bytes_dirname(path));
    db_bind_bytes(s, 2, bytes_basename(path));
    sqlite3_bind_int64(s, 5, (sqlite3_int64)operations);
    code = sqlite3_step(s);
    if (code == SQLITE_ROW && (sqlite3_column_int64(s, 1) > *time_ns ||
                               (sqlite3_column_int64(s, 1) == *time_ns && sqlite3_column_int64(s, 0) > *row))) {
        *row = sqlite3_column_int64(s, 0);
        *time_ns = sqlite3_column_int64(s, 1);
    } else if (code != SQLITE_ROW && code != SQLITE_DONE) {
        r = db_error(l->store->db, l->store->path, err);
    }
    sqlite3_reset(s);
    return r;
}

static int ask(struct store_last *l, int way, struct bytes path, uint64_t operations, int64_t *row,
               int64_t *time_ns, struct err *err)
{
    int r = ask_one(l, l->ways[way], path, operations, row, time_ns, err);

    return r < 0 ? r : ask_one(l, l->packed[way], path, operations, row, time_ns, err);
}

static int find(struct store_last *l, struct bytes path, struct bytes host_path, uint64_t operations, struct event **ret, struct err *err)
{
    int64_t row = 0, time_ns = 0;
    int r = ask(l, BY_PATH, path, operations, &row, &time_ns, err);

    if (r == 0)
        r = ask(l, BY_PREVIOUS, path, operations, &row, &time_ns, err);
    if (r == 0)
        r = ask(l, BY_HOST, host_path, operations, &row, &time_ns, err);
    if (r < 0)
        return r;
    return row ? loader_event(l->loader, row, ret, err) : -ENOENT;
}

int store_last_find(struct store_last *l, struct bytes path, struct bytes host_path, uint64_t operations,
                    struct event **ret, struct err *err)
{
    bool begun;
    int r = select_moment(l->store, &begun, err);

    if (r == 0)
        r = find(l, path, host_path, operations, ret, err);
    select_moment_end(l->store, begun);
    return r;
}
