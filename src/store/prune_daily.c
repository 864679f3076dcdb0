/* SPDX-License-Identifier: MIT */
/* What was counted by day: a day goes once all of it is too old, and of a watch that is kept for a shorter time what it counted. */
#include <errno.h>
#include <string.h>

#include "store/daily.h"
#include "store/prune_state.h"
#include "util/macro.h"

static uint64_t watch_floor(const struct pruner *p, int64_t watch)
{
    for (size_t i = 0; watch && i < p->retention.watch_count; i++)
        if (p->watches[i].row == watch)
            return p->watches[i].floor_ns;
    return 0;
}

static bool has_floors(const struct pruner *p)
{
    for (size_t i = 0; i < p->retention.watch_count; i++)
        if (p->watches[i].row && p->watches[i].floor_ns)
            return true;
    return false;
}

/* Without what its watch has not any more. Damage stays as it is: who reads it says so. */
static void keep(const struct pruner *p, uint64_t day, struct bytes data, struct sbuf *out, bool *ret_changed)
{
    struct daily d = daily_before(day), before = d;
    int r;

    *ret_changed = false;
    sbuf_clear(out);
    while ((r = daily_next(&data, &d)) == 1)
        if (watch_floor(p, d.watch) < (day + 1) * DAILY_NS)
            daily_pack(&d, &before, out);
        else
            *ret_changed = true;
    if (r < 0)
        *ret_changed = false;
}

struct daily_row {
    int64_t key[3]; /* directory, whose, day */
    struct bytes data;
    bool is_damaged;
};

static int replace(struct pruner *p, const struct daily_row *row, const struct sbuf *data, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(p->db, p->path, "UPDATE daily SET data = ?, sum = ? WHERE directory = ? AND whose = ? AND day = ?", &s, err);

    if (r == 0 && sbuf_error(data))
        r = err_set(err, -ENOMEM, "the store");
    for (int i = 0; r == 0 && i < 3; i++)
        sqlite3_bind_int64(s, i + 3, row->key[i]);
    if (r == 0) {
        db_bind_bytes(s, 1, sbuf_bytes(data));
        sqlite3_bind_int64(s, 2, daily_sum(row->key, sbuf_bytes(data)));
        r = db_run(p->db, p->path, s, err);
    }
    sqlite3_finalize(s);
    return r;
}

static int prune_row(struct pruner *p, const struct daily_row *row, bool floors, bool *ret_changed, struct err *err)
{
    _cleanup_sbuf_ struct sbuf kept = SBUF_INIT;
    const uint64_t day = (uint64_t)row->key[2];
    bool all = (day + 1) * DAILY_NS <= p->floor_ns;
    int64_t n;

    *ret_changed = all;
    if (!all && floors)
        keep(p, day, row->data, &kept, ret_changed);
    if (!*ret_changed)
        return 0;
    if (!all && kept.len)
        return replace(p, row, &kept, err);
    n = prune_run(p, "DELETE FROM daily WHERE directory = ? AND whose = ? AND day = ?", row->key, 3, err);
    return n < 0 ? (int)n : 0;
}

/* Some rows from where the last step ended, in the order of their key. Each is handed over with its data, which is borrowed. */
static int each_row(struct pruner *p, int64_t at[3], int (*each)(struct pruner *p, const struct daily_row *row, void *data, struct err *err),
                    void *data, unsigned *ret_count, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(p->db, p->path, "SELECT directory, whose, day, data, sum FROM daily WHERE (directory, whose, day) > (?, ?, ?) "
                       "ORDER BY directory, whose, day LIMIT ?", &s, err), code = SQLITE_DONE;

    *ret_count = 0;
    for (int i = 0; r == 0 && i < 3; i++)
        sqlite3_bind_int64(s, i + 1, at[i]);
    if (r == 0)
        sqlite3_bind_int64(s, 4, p->rows);
    while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW) {
        struct daily_row row = { .data = db_column_bytes(s, 3) };

        for (int i = 0; i < 3; i++)
            row.key[i] = sqlite3_column_int64(s, i);
        row.is_damaged = !daily_is_whole(s, 4, row.key, row.data);
        r = each(p, &row, data, err);
        memcpy(at, row.key, sizeof(row.key));
        ++*ret_count;
    }
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(p->db, p->path, err);
    sqlite3_finalize(s);
    return r;
}

/* Changed once they have been read. */
struct changes {
    struct arena arena;
    struct daily_row rows[PRUNE_CHANGES_MAX];
    unsigned count;
    bool floors;
};

static int find_change(struct pruner *p, const struct daily_row *row, void *data, struct err *err)
{
    struct changes *c = data;
    _cleanup_sbuf_ struct sbuf kept = SBUF_INIT;
    const uint64_t day = (uint64_t)row->key[2];
    bool changed = (day + 1) * DAILY_NS <= p->floor_ns;

    (void)err;
    if (!changed && c->floors && !row->is_damaged)
        keep(p, day, row->data, &kept, &changed);
    if (!changed)
        return 0;
    c->rows[c->count] = *row;
    c->rows[c->count++].data = arena_copy(&c->arena, row->data);
    return 0;
}

int prune_step_daily(struct pruner *p, struct err *err)
{
    struct changes c = { .floors = has_floors(p) };
    const unsigned rows = p->rows;
    unsigned count = 0;
    bool changed;
    int64_t n;
    int r;

    p->rows = MIN(p->rows, PRUNE_CHANGES_MAX);
    r = each_row(p, p->at, find_change, &c, &count, err);
    for (unsigned i = 0; i < c.count && r == 0; i++)
        r = prune_row(p, &c.rows[i], c.floors, &changed, err);
    arena_done(&c.arena);
    n = (int64_t)(p->floor_ns / DAILY_NS);
    if (r == 0 && count < p->rows)
        n = prune_run(p, "DELETE FROM daily_suspect WHERE day < ?", &n, 1, err);
    r = r < 0 ? r : n < 0 ? (int)n : count == p->rows;
    p->rows = rows;
    return r;
}

static int mark_victims(struct pruner *p, const struct daily_row *row, void *data, struct err *err)
{
    struct daily d = daily_before((uint64_t)row->key[2]);
    struct bytes rest = row->data;

    (void)data;
    while (daily_next(&rest, &d) == 1)
        if (d.victim > 0 && !row_set_add(&p->containers, d.victim))
            return err_set(err, -ENOMEM, "the store");
    return 0;
}

int prune_mark_daily(struct pruner *p, struct err *err)
{
    unsigned count = 0;
    int r = each_row(p, p->at + 2, mark_victims, NULL, &count, err);

    return r < 0 ? r : count == p->rows;
}
