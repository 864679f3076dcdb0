/* SPDX-License-Identifier: MIT */
/* Changes of what lies above a path: with a folder that is moved goes everything in it, and a link or a mount on the
 * way leads elsewhere. */
#include "store/handle.h"
#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "store/floor.h"
#include "store/load.h"
#include "store/select.h"
#include "util/limits.h"

#define ROWS_MAX 4096 /* of one question, the newest of each name */
#define BIT(operation) (1ull << (operation))
/* A directory that is removed is empty: what was in it went before, and has events of its own. */
#define ABOVE                                                                                          \
    (BIT(OPERATION_RENAME) | BIT(OPERATION_UNLINK) | BIT(OPERATION_SYMLINK) | BIT(OPERATION_MOUNT) | \
     BIT(OPERATION_UNMOUNT))

enum { BY_PATH, BY_PREVIOUS, BY_HOST, WAYS };

struct above_row {
    int64_t row;
    uint64_t time_ns;
};

struct above_asking {
    struct store *store;
    const struct store_query *query;
    struct above_row *rows;
    size_t count;
    struct err *err;
};

static int prepare(const struct above_asking *a, int way, const char *victim, bool packed, sqlite3_stmt **ret)
{
    static const char *const columns[WAYS] = { "", "previous_", "host_" };
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

    sbuf_addf(&sql,
              "SELECT e.row, e.time_ns FROM %s e.%sdirectory = (SELECT row FROM directory WHERE path = ?1) "
              "AND e.%sname = ?2 AND +e.error = 0 AND +e.time_ns >= ?3 AND +e.time_ns <= ?4 "
              "AND (?5 >> +e.operation) & 1 AND %s%s ORDER BY e.time_ns DESC LIMIT %d",
              packed ? "directory d CROSS JOIN block_place p ON p.directory = d.row "
                       "CROSS JOIN block b ON b.row = p.block CROSS JOIN packed(b.row) e "
                       "WHERE d.path = ?1 AND may_have(p.names, ?2) AND b.last_ns >= ?3 AND b.first_ns <= ?4 AND "
                     : "event e WHERE",
              columns[way], columns[way], way == BY_HOST ? "1" : victim, floor_condition(a->query), ROWS_MAX);
    return db_prepare(a->store->db, a->store->path, sbuf_str(&sql), ret, a->err);
}

static int add_row(struct above_asking *a, int64_t row, uint64_t time_ns)
{
    struct above_row *rows;

    for (size_t i = 0; i < a->count; i++)
        if (a->rows[i].row == row)
            return 0;
    if (a->count == ROWS_MAX)
        return 0;
    rows = reallocarray(a->rows, a->count + 1, sizeof(*rows));
    if (!rows)
        return err_set(a->err, -ENOMEM, "the store");
    a->rows = rows;
    rows[a->count++] = (struct above_row){ row, time_ns };
    return 0;
}

/* Every name above `path`, by one index. */
static int ask_way(struct above_asking *a, struct bytes path, int way, const char *victim, bool packed)
{
    const struct store_query *q = a->query;
    uint64_t operations = q->operations ? q->operations & ABOVE : ABOVE;
    sqlite3_stmt *s = NULL;
    int r = prepare(a, way, victim, packed, &s), code = SQLITE_DONE;

    for (path = bytes_dirname(path); r == 0 && path.len > 1; path = bytes_dirname(path)) {
        db_bind_bytes(s, 1, bytes_dirname(path));
        db_bind_bytes(s, 2, bytes_basename(path));
        sqlite3_bind_int64(s, 3, (sqlite3_int64)q->since_ns);
        sqlite3_bind_int64(s, 4, q->until_ns ? (sqlite3_int64)q->until_ns : INT64_MAX);
        sqlite3_bind_int64(s, 5, (sqlite3_int64)operations);
        while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW)
            r = add_row(a, sqlite3_column_int64(s, 0), (uint64_t)sqlite3_column_int64(s, 1));
        if (r == 0 && code != SQLITE_DONE)
            r = db_error(a->store->db, a->store->path, a->err);
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
    return r;
}

static int ask(struct above_asking *a, struct bytes path, const char *victim)
{
    int r = 0;

    for (int way = 0; way < WAYS && r == 0; way++) {
        r = ask_way(a, path, way, victim, false);
        if (r == 0 && a->store->has.blocks)
            r = ask_way(a, path, way, victim, true);
    }
    return r;
}

static int by_time(const void *a, const void *b)
{
    const struct above_row *x = a, *y = b;

    return x->time_ns != y->time_ns ? (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns)
                                    : (x->row > y->row) - (x->row < y->row);
}

/* What is at or below the path as well is found by that; a file that is no link leads nowhere. */
static bool is_wanted(const struct store_query *q, const struct event *e)
{
    if (e->operation == OPERATION_UNLINK && (e->file.known & FILE_MODE) && !S_ISLNK(e->file.mode))
        return false;
    return !bytes_path_covers(q->path, e->path) && !(e->previous_path.len && bytes_path_covers(q->path, e->previous_path));
}

static int emit(struct above_asking *a, int (*each)(void *data, struct event *event), void *data)
{
    struct loader *loader = NULL;
    int r = loader_new(a->store, &loader, a->err);

    for (size_t i = 0; i < a->count && r == 0; i++) {
        struct event *e = NULL;

        r = loader_event(loader, a->rows[i].row, &e, a->err);
        if (r < 0) {
            r = r == -ENOENT ? 0 : r;
            continue;
        }
        if (!is_wanted(a->query, e)) {
            event_free(e);
            continue;
        }
        event_set(e, &e->carried, a->query->path);
        r = each(data, e);
    }
    loader_free(loader);
    return r;
}

int store_each_above(struct store *store, const struct store_query *asked, int (*each)(void *data, struct event *event),
                     void *data, struct err *err)
{
    struct store_query kept, *query = &kept;
    struct above_asking a = { .store = store, .query = query, .err = err };
    const char *victim = asked->any_victim              ? "1"
                         : bytes_known(asked->container) ? "+e.victim IN (SELECT row FROM temp.asked_container)"
                                                         : "+e.victim_kind = 1";
    bool begun;
    int r;

    if (!bytes_known(asked->path))
        return 0;
    r = select_moment(store, &begun, err);
    if (r == 0)
        r = select_begin(store, asked, &kept, err);
    if (r == 0 && query->path.len > 1)
        r = ask(&a, query->path, victim);
    if (r == 0 && select_has_host_path(query))
        r = ask(&a, query->host_path, "+e.victim_kind = 1");
    if (a.count)
        qsort(a.rows, a.count, sizeof(*a.rows), by_time);
    if (r == 0)
        r = emit(&a, each, data);
    select_moment_end(store, begun);
    free(a.rows);
    return r;
}
