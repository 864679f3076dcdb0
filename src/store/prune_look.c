/* SPDX-License-Identifier: MIT */
/* How old what is kept may be, and how much of it. */
#include "store/prune_look.h"

#include "store/prune_state.h"
#include "store/rollup.h"
#include "util/macro.h"

#define DAYS_MIN 7  /* whole days go of what is kept for so long: they were counted as a whole (store/daily.h) */
#define SIZE_PART 8 /* such a part goes, where all of it is of the same hour */

static int used_bytes(struct pruner *p, uint64_t *ret, struct err *err)
{
    uint64_t pages = 0, unused = 0, size = 0;
    int r = prune_number(p, "PRAGMA page_count", NULL, 0, &pages, err);

    if (r == 0)
        r = prune_number(p, "PRAGMA freelist_count", NULL, 0, &unused, err);
    if (r == 0)
        r = prune_number(p, "PRAGMA page_size", NULL, 0, &size, err);
    *ret = (pages - MIN(unused, pages)) * size;
    return r;
}

/*
 * Half of what is too much if all hours were alike, at least the oldest one; a part of what there is where that is all of
 * one hour. It is looked again after that. 0: there is nothing.
 */
static int floor_for_size(struct pruner *p, uint64_t now_ns, uint64_t used, uint64_t *ret, struct err *err)
{
    const uint64_t size = p->full ? MIN(p->retention.size ? p->retention.size : UINT64_MAX, used - used / SIZE_PART) : p->retention.size;
    uint64_t first = 0, last = 0, step;
    int r = prune_number(p,
                   "SELECT min(t) FROM (SELECT min(time_ns) AS t FROM event UNION ALL SELECT min(first_ns) FROM block)",
                   NULL, 0, &first, err);

    if (r == 0)
        r = prune_number(p, "SELECT max(t) FROM (SELECT max(time_ns) AS t FROM event UNION ALL SELECT max(last_ns) FROM block)",
                   NULL, 0, &last, err);
    first = MAX(first, p->floor_ns); /* a block that lies on both sides begins before it */
    if (r < 0 || !last || first > last)
        return r;
    if (first <= now_ns) /* what a clock was ahead of, until it was set back, is no measure: all that has come since would go for it */
        last = MIN(last, now_ns);
    if (size && used > size)
        first += (uint64_t)((double)(last - first) * (double)(used - size) / (double)used / 2);
    step = last - first < DAYS_MIN * SIZE_PART * DAY_NS ? ROLLUP_HOUR_NS : DAY_NS;
    *ret = (first / step + 1) * step;
    if (*ret > now_ns || *ret > last)
        *ret = first + (last - first) / SIZE_PART + 1;
    return 0;
}

uint64_t pruner_floor_for_age(uint64_t age_ns, uint64_t now_ns)
{
    uint64_t at = age_ns && age_ns < now_ns ? now_ns - age_ns : 0;
    uint64_t step = age_ns < DAY_NS ? MAX(age_ns / 24, 1) : age_ns < DAYS_MIN * DAY_NS ? ROLLUP_HOUR_NS : DAY_NS;

    return at / step * step;
}

static int set_floor(struct pruner *p, int64_t row, uint64_t floor_ns, struct err *err)
{
    const int64_t values[] = { (int64_t)floor_ns, row };
    int64_t r = prune_run(p, "UPDATE watch SET floor_ns = ?1 WHERE row = ?2 AND floor_ns < ?1", values, 2, err);

    return r < 0 ? (int)r : 0;
}

/* Its row, which is made if it is not there. */
static int find_watch(struct pruner *p, struct watch_sweep *w, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(p->db, p->path, "INSERT OR IGNORE INTO watch (text) VALUES (?)", &s, err);

    if (r == 0) {
        db_bind_bytes(s, 1, w->text);
        r = db_run(p->db, p->path, s, err);
    }
    sqlite3_finalize(s);
    s = NULL;
    if (r == 0)
        r = db_prepare(p->db, p->path, "SELECT row, floor_ns, swept_ns FROM watch WHERE text = ?", &s, err);
    if (r == 0) {
        db_bind_bytes(s, 1, w->text);
        if (sqlite3_step(s) == SQLITE_ROW) {
            w->row = sqlite3_column_int64(s, 0);
            w->floor_ns = (uint64_t)sqlite3_column_int64(s, 1);
            w->swept_ns = (uint64_t)sqlite3_column_int64(s, 2);
        } else {
            r = db_error(p->db, p->path, err);
        }
    }
    sqlite3_finalize(s);
    return r;
}

static int look_at_watches(struct pruner *p, uint64_t now_ns, uint64_t first_ns, bool *moved, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < p->retention.watch_count && r == 0; i++) {
        struct watch_sweep *w = &p->watches[i];
        uint64_t to = pruner_floor_for_age(w->age_ns, now_ns);

        if (w->age_ns == p->retention.age_ns)
            continue;
        if (!w->row)
            r = find_watch(p, w, err);
        if (r < 0 || to <= MAX(w->floor_ns, p->floor_ns) || first_ns >= to)
            continue;
        r = set_floor(p, w->row, to, err);
        w->floor_ns = to;
        *moved = true;
    }
    return r;
}

/* What came since everything as old had gone: of a log that was imported, or by a clock that was set back. */
static int find_late(struct pruner *p, bool *moved, struct err *err)
{
    const int64_t value = (int64_t)p->floor_ns;
    uint64_t any = 0;
    int r = prune_number(p, "SELECT EXISTS (SELECT 1 FROM event WHERE time_ns < ?1) OR "
                            "EXISTS (SELECT 1 FROM block WHERE first_ns < ?1 AND last_ns < ?1)", &value, 1, &any, err);

    *moved |= r == 0 && any;
    return r;
}

int prune_look(struct pruner *p, uint64_t now_ns, bool *ret_work, struct err *err)
{
    uint64_t to = pruner_floor_for_age(p->retention.age_ns, now_ns), used = 0, for_size = 0, first = 0;
    bool moved = !p->known; /* what was left the last time */
    int r = p->known ? 0 : prune_number(p, "SELECT floor_ns FROM watch WHERE row = 0", NULL, 0, &p->floor_ns, err);

    if (r == 0 && (p->retention.size || p->full))
        r = used_bytes(p, &used, err);
    p->full &= used > RETENTION_SIZE_MIN;
    p->too_big = p->full || (p->retention.size && used > p->retention.size);
    if (r == 0 && p->too_big)
        r = floor_for_size(p, now_ns, used, &for_size, err);
    to = MAX(to, for_size);
    if (r == 0) /* nothing is said to be removed where nothing was */
        r = prune_number(p, "SELECT ifnull(min(t), 0) FROM (SELECT min(time_ns) AS t FROM event UNION ALL "
                            "SELECT min(first_ns) FROM block)", NULL, 0, &first, err);
    if (r == 0 && to > p->floor_ns && first && first < to) {
        r = set_floor(p, 0, to, err);
        if (r == 0)
            p->floor_ns = to;
        moved = true;
    }
    if (r == 0 && p->too_big && !moved)
        r = find_late(p, &moved, err);
    if (r == 0 && first)
        r = look_at_watches(p, now_ns, first, &moved, err);
    if (r == 0)
        p->known = true;
    *ret_work = moved;
    return r;
}
