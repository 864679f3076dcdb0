/* SPDX-License-Identifier: MIT */
/* What the record has beside events: containers' lifecycles, logs that were imported, its size. */
#include "store/query.h"

#include <sys/stat.h>

#include "store/handle.h"
#include "store/load.h"
#include "store/select.h"

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
