/* SPDX-License-Identifier: MIT */
#include "store/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/block.h"
#include "store/floor.h"
#include "store/load.h"
#include "store/select.h"
#include "util/macro.h"

/* One that was taken out of a block, and waits for its time. */
struct waiting {
    uint64_t time_ns;
    int64_t row;
    struct event *event;
};

struct watch_floor {
    struct bytes text;
    uint64_t floor_ns;
};

struct stream {
    struct store *store;
    const struct store_query *query;
    struct loader *loader;
    struct block_reader *reader;
    sqlite3_stmt *blocks, *rows;
    bool has_block, has_row;       /* the statement is at one */
    uint64_t block_ns, row_ns;     /* when it begins; its time */
    int64_t block, row;
    struct waiting *waiting;       /* in order, from `first` on */
    size_t first, count, size;
    struct watch_floor *floors;
    size_t floor_count;
    struct arena arena;
    uint64_t given;
};

bool stream_can(const struct store *store, const struct store_query *q)
{
    return store->has.blocks && !bytes_known(q->path) && !bytes_known(q->container);
}

/* ---- what is asked for ---- */

/* Watches that have lost more than all others. */
static int read_floors(struct stream *s, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int r, code = SQLITE_DONE;

    if (!s->query->watch_floors)
        return 0;
    r = db_prepare(s->store->db, s->store->path, "SELECT text, floor_ns FROM watch WHERE row > 0 AND floor_ns > 0", &statement, err);
    while (r == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct watch_floor *grown = reallocarray(s->floors, s->floor_count + 1, sizeof(*grown));

        if (!grown) {
            r = err_set(err, -ENOMEM, "the store");
            break;
        }
        s->floors = grown;
        grown[s->floor_count++] = (struct watch_floor){ arena_copy(&s->arena, db_column_bytes(statement, 0)),
                                                        (uint64_t)sqlite3_column_int64(statement, 1) };
    }
    if (r == 0 && code != SQLITE_DONE && code != SQLITE_ROW)
        r = db_error(s->store->db, s->store->path, err);
    sqlite3_finalize(statement);
    return r;
}

/* select_condition(), of an event in a block. */
static bool is_asked_for(const struct stream *s, const struct delta_values *v)
{
    const struct store_query *q = s->query;
    uint64_t time_ns = v->numbers[DELTA_time_ns];

    if (!q->any_victim && v->numbers[DELTA_victim_kind] != VICTIM_HOST)
        return false;
    if (time_ns < q->since_ns || (q->until_ns && time_ns > q->until_ns))
        return false;
    if (q->operations && (v->numbers[DELTA_operation] > 63 || !(q->operations >> v->numbers[DELTA_operation] & 1)))
        return false;
    for (size_t i = 0; i < s->floor_count; i++)
        if (s->floors[i].floor_ns > time_ns && bytes_equal(s->floors[i].text, v->bytes[DELTA_watch]))
            return false;
    return true;
}

/* ---- the two sources ---- */

static int next_block(struct stream *s, struct err *err)
{
    int code = sqlite3_step(s->blocks);

    s->has_block = code == SQLITE_ROW;
    if (s->has_block) {
        s->block = sqlite3_column_int64(s->blocks, 0);
        s->block_ns = (uint64_t)sqlite3_column_int64(s->blocks, 1);
    }
    return s->has_block || code == SQLITE_DONE ? 0 : db_error(s->store->db, s->store->path, err);
}

static int next_row(struct stream *s, struct err *err)
{
    int code = sqlite3_step(s->rows);

    s->has_row = code == SQLITE_ROW;
    if (s->has_row) {
        s->row = sqlite3_column_int64(s->rows, 0);
        s->row_ns = (uint64_t)sqlite3_column_int64(s->rows, 1);
    }
    return s->has_row || code == SQLITE_DONE ? 0 : db_error(s->store->db, s->store->path, err);
}

static int add_waiting(struct stream *s, int64_t row, uint64_t time_ns, struct event *e, struct err *err)
{
    if (s->count == s->size) {
        size_t size = s->size ? 2 * s->size : 2 * BLOCK_MAX;
        struct waiting *grown = reallocarray(s->waiting, size, sizeof(*grown));

        if (!grown) {
            event_free(e);
            return err_set(err, -ENOMEM, "the store");
        }
        s->waiting = grown;
        s->size = size;
    }
    s->waiting[s->count++] = (struct waiting){ time_ns, row, e };
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct waiting *x = a, *y = b;

    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* All that is asked for of the block that comes next, among what waits already. */
static int take_block(struct stream *s, struct err *err)
{
    const struct block_event *b = NULL;
    bool sorted = true;
    int r;

    if (s->first)
        memmove(s->waiting, s->waiting + s->first, (s->count - s->first) * sizeof(*s->waiting));
    s->count -= s->first;
    s->first = 0;
    r = block_reader_begin(s->reader, s->block, err);
    while (r == 0 && (r = block_reader_next(s->reader, &b, err)) == 1) {
        struct event *e = NULL;

        r = 0;
        if (!is_asked_for(s, &b->values))
            continue;
        r = loader_packed(s->loader, b, s->query->no_cause, &e, err);
        if (r == 0)
            r = add_waiting(s, b->row, e->time_ns, e, err);
        if (r == 0 && s->count > 1)
            sorted = sorted && compare(&s->waiting[s->count - 2], &s->waiting[s->count - 1]) < 0;
    }
    block_reader_end(s->reader);
    if (r < 0)
        return r;
    if (!sorted)
        qsort(s->waiting, s->count, sizeof(*s->waiting), compare);
    return next_block(s, err);
}

/* ---- one after the other ---- */

/* What is older than everything that may still come. 1: none is left. */
static int next_event(struct stream *s, struct event **ret, struct err *err)
{
    int r = 0;

    for (;;) {
        const struct waiting *w = s->first < s->count ? &s->waiting[s->first] : NULL;
        uint64_t next_ns = w ? w->time_ns : UINT64_MAX;

        if (!w && !s->has_row && !s->has_block)
            return 1;
        if (s->has_block && s->block_ns <= MIN(next_ns, s->has_row ? s->row_ns : UINT64_MAX)) {
            r = take_block(s, err);
            if (r < 0)
                return r;
            continue;
        }
        if (s->has_row && (!w || s->row_ns < next_ns || (s->row_ns == next_ns && s->row < w->row))) {
            r = loader_event(s->loader, s->row, ret, err);
            if (r == 0 || r == -ENOENT) {
                int next = next_row(s, err);

                if (next < 0 && r == 0)
                    event_free(TAKE_PTR(*ret));
                r = next < 0 ? next : r;
            }
            if (r == -ENOENT) /* it has become part of a block, which this question does not see */
                continue;
            return r;
        }
        *ret = w->event;
        s->first++;
        return 0;
    }
}

static int prepare(struct stream *s, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    int r;

    sbuf_add_str(&sql, "SELECT b.row, b.first_ns FROM block b WHERE 1");
    if (s->query->since_ns)
        sbuf_add_str(&sql, " AND b.last_ns >= ?3");
    if (s->query->until_ns)
        sbuf_add_str(&sql, " AND b.first_ns <= ?4");
    sbuf_add_str(&sql, " ORDER BY b.first_ns, b.row");
    r = db_prepare(s->store->db, s->store->path, sbuf_str(&sql), &s->blocks, err);
    sbuf_clear(&sql);
    sbuf_add_str(&sql, "SELECT e.row, e.time_ns FROM event e INDEXED BY event_time WHERE ");
    select_condition(s->query, SELECT_ALL, &sql);
    sbuf_add_str(&sql, " ORDER BY e.time_ns, e.row");
    if (r == 0)
        r = db_prepare(s->store->db, s->store->path, sbuf_str(&sql), &s->rows, err);
    if (r == 0) {
        select_bind(s->query, s->blocks);
        select_bind(s->query, s->rows);
        r = block_reader_new(s->store->db, s->store->path, &s->reader, err);
    }
    if (r == 0)
        r = loader_new(s->store, &s->loader, err);
    if (r == 0)
        r = read_floors(s, err);
    if (r == 0)
        r = next_block(s, err);
    return r == 0 ? next_row(s, err) : r;
}

static void done(struct stream *s)
{
    while (s->first < s->count)
        event_free(s->waiting[s->first++].event);
    free(s->waiting);
    free(s->floors);
    arena_done(&s->arena);
    sqlite3_finalize(s->blocks);
    sqlite3_finalize(s->rows);
    block_reader_free(s->reader);
    loader_free(s->loader);
}

int stream_each(struct store *store, const struct store_query *query, int (*each)(void *data, struct event *event), void *data,
                struct err *err)
{
    struct stream s = { .store = store, .query = query };
    int r = prepare(&s, err);

    while (r == 0 && (!query->limit || s.given < query->limit)) {
        struct event *e = NULL;

        r = next_event(&s, &e, err);
        if (r != 0)
            break;
        s.given++;
        r = each(data, e);
        if (r > 0) { /* the caller has enough */
            done(&s);
            return r;
        }
    }
    done(&s);
    return r == 1 ? 0 : r;
}
