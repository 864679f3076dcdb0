/* SPDX-License-Identifier: MIT */
#include "store/floor.h"

#include "util/macro.h"

int floor_of_all(struct store *store, uint64_t *ret_ns, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r, code = SQLITE_DONE;

    *ret_ns = 0;
    if (!store->has.floors)
        return 0;
    r = db_prepare(store->db, store->path, "SELECT floor_ns FROM watch WHERE row = 0", &s, err);
    if (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW)
        *ret_ns = (uint64_t)sqlite3_column_int64(s, 0);
    else if (r == 0 && code != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(s);
    return r;
}

/* Has a watch lost more than all of them have? */
static int of_watches(struct store *store, bool *ret, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(store->db, store->path,
                       "SELECT max(floor_ns) > (SELECT floor_ns FROM watch WHERE row = 0) FROM watch", &s, err);

    if (r == 0 && sqlite3_step(s) == SQLITE_ROW)
        *ret = sqlite3_column_int(s, 0) != 0;
    else if (r == 0)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(s);
    return r;
}

int floor_apply(struct store *store, const struct store_query *query, struct store_query *ret, struct err *err)
{
    uint64_t floor_ns = 0;
    int r = 0;

    *ret = *query;
    ret->watch_floors = false;
    if (!store->has.floors)
        return 0;
    r = floor_of_all(store, &floor_ns, err);
    if (r == 0)
        r = of_watches(store, &ret->watch_floors, err);
    ret->since_ns = MAX(ret->since_ns, floor_ns);
    return r;
}

const char *floor_condition(const struct store_query *q)
{
    return q->watch_floors ? " AND NOT EXISTS (SELECT 1 FROM watch w WHERE w.text = e.watch AND w.floor_ns > e.time_ns)" : "";
}
