/* SPDX-License-Identifier: MIT */
#include "store/prune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/prune_state.h"
#include "store/rollup.h"
#include "util/clock.h"
#include "util/macro.h"

#define LOOK_NS (10 * NS_PER_S)   /* CLOCK_MONOTONIC: is something too old, or the store too big? */
#define SWEEP_NS (3600 * NS_PER_S) /* processes: every block is read for them */
#define DAY_NS (24 * ROLLUP_HOUR_NS)
#define HOURS_KEPT 48             /* then the counted rows of one day become one */
#define STEP_NS (4 * NS_PER_MS)   /* so long a step is to take */
#define ROWS_MIN 16
#define ROWS_MAX 512
#define VACUUM_PAGES 64
#define PAGES_SPARE 512           /* free ones that are not given back: they are needed again soon */
#define OBSERVER_GONE_NS (7 * DAY_NS) /* whoever has not said for so long that he is alive; he may only have been stopped */
#define SIZE_PART 8               /* such a part goes, where all of it is of the same hour */

int pruner_new(sqlite3 *db, const char *path, const struct store_retention *retention, struct pruner **ret, struct err *err)
{
    struct pruner *p = calloc(1, sizeof(*p));
    int r = 0;

    if (!p)
        return err_set(err, -ENOMEM, "the store");
    p->db = db;
    p->path = path;
    p->retention = *retention;
    p->task = IDLE;
    p->removed = true; /* by one that did not come to its end */
    p->rows = 256;
    p->watches = calloc(MAX(retention->watch_count, (size_t)1), sizeof(*p->watches));
    for (size_t i = 0; p->watches && i < retention->watch_count; i++)
        p->watches[i] = (struct watch_sweep){ .age_ns = retention->watches[i].age_ns,
                                              .text = arena_copy(&p->arena, retention->watches[i].watch) };
    if (!p->watches)
        r = err_set(err, -ENOMEM, "the store");
    if (r == 0)
        r = block_reader_new(db, path, &p->reader, err);
    if (r == 0 && retention->compact_ns)
        r = compactor_new(db, path, &p->compactor, err);
    if (r < 0) {
        pruner_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void pruner_free(struct pruner *p)
{
    if (!p)
        return;
    block_reader_free(p->reader);
    compactor_free(p->compactor);
    row_set_done(&p->processes);
    row_set_done(&p->containers);
    free(p->watches);
    arena_done(&p->arena);
    free(p);
}

/* ---- how old ---- */

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
    uint64_t first = 0, last = 0;
    int r = prune_number(p,
                   "SELECT min(t) FROM (SELECT min(time_ns) AS t FROM event UNION ALL SELECT min(first_ns) FROM block)",
                   NULL, 0, &first, err);

    if (r == 0)
        r = prune_number(p, "SELECT max(t) FROM (SELECT max(time_ns) AS t FROM event UNION ALL SELECT max(last_ns) FROM block)",
                   NULL, 0, &last, err);
    if (r < 0 || !first)
        return r;
    if (p->retention.size && used > p->retention.size)
        first += (uint64_t)((double)(last - first) * (double)(used - p->retention.size) / (double)used / 2);
    *ret = (first / ROLLUP_HOUR_NS + 1) * ROLLUP_HOUR_NS;
    if (*ret > now_ns || *ret > last)
        *ret = first + (last - first) / SIZE_PART + 1;
    return 0;
}

uint64_t pruner_floor_for_age(uint64_t age_ns, uint64_t now_ns)
{
    uint64_t at = age_ns && age_ns < now_ns ? now_ns - age_ns : 0;

    uint64_t step = age_ns < DAY_NS ? MAX(age_ns / 24, 1) : ROLLUP_HOUR_NS;

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
        r = db_prepare(p->db, p->path, "SELECT row, floor_ns FROM watch WHERE text = ?", &s, err);
    if (r == 0) {
        db_bind_bytes(s, 1, w->text);
        if (sqlite3_step(s) == SQLITE_ROW) {
            w->row = sqlite3_column_int64(s, 0);
            w->floor_ns = (uint64_t)sqlite3_column_int64(s, 1);
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

/* Moves the times before which nothing counts. *ret_work: there may be something to remove. */
static int look(struct pruner *p, uint64_t now_ns, bool *ret_work, struct err *err)
{
    uint64_t to = pruner_floor_for_age(p->retention.age_ns, now_ns), used = 0, for_size = 0, first = 0;
    bool moved = !p->known; /* what was left the last time */
    int r = p->known ? 0 : prune_number(p, "SELECT floor_ns FROM watch WHERE row = 0", NULL, 0, &p->floor_ns, err);

    if (r == 0 && p->retention.size)
        r = used_bytes(p, &used, err);
    p->too_big = p->retention.size && used > p->retention.size;
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
    if (r == 0 && first)
        r = look_at_watches(p, now_ns, first, &moved, err);
    if (r == 0)
        p->known = true;
    *ret_work = moved;
    return r;
}

/* ---- tasks: one step each; 1: there is more, 0: the task is done ---- */

static int remove_some(struct pruner *p, const char *sql, struct err *err)
{
    const int64_t values[] = { (int64_t)p->floor_ns, p->rows };
    int64_t n = prune_run(p, sql, values, 2, err);

    p->removed |= n > 0;
    return n < 0 ? (int)n : n > 0;
}

static int step_events(struct pruner *p, struct err *err)
{
    return remove_some(p, "DELETE FROM event WHERE row IN (SELECT row FROM event INDEXED BY event_time WHERE time_ns < ?1 "
                          "ORDER BY time_ns LIMIT ?2)", err);
}

/* Those of watches that are kept for a shorter time lie among others: each is looked at once. */
static int step_watch_events(struct pruner *p, struct err *err)
{
    struct watch_sweep *w = p->watch < p->retention.watch_count ? &p->watches[p->watch] : NULL;
    int64_t values[] = { w ? w->row : 0, w ? (int64_t)MAX(w->at_ns, p->floor_ns) : 0, w ? (int64_t)w->floor_ns : 0, p->rows };
    uint64_t to = 0;
    int64_t n;
    int r;

    if (!w)
        return 0;
    if (values[1] < values[2]) {
        r = prune_number(p,
                         "SELECT ifnull(max(time_ns), 0) FROM (SELECT time_ns FROM event WHERE time_ns >= ?2 AND time_ns < ?3 "
                         "ORDER BY time_ns LIMIT ?4)",
                         values, ARRAY_SIZE(values), &to, err);
        if (r < 0)
            return r;
    }
    if (!to) {
        w->at_ns = MAX(w->at_ns, w->floor_ns);
        p->watch++;
        return 1;
    }
    values[2] = (int64_t)to + 1;
    n = prune_run(p, "DELETE FROM event WHERE row IN (SELECT row FROM event INDEXED BY event_time WHERE time_ns >= ?2 AND "
               "time_ns < ?3 AND watch = (SELECT text FROM watch WHERE row = ?1))", values, 3, err);
    w->at_ns = to + 1;
    p->removed |= n > 0;
    return n < 0 ? (int)n : 1;
}

/* Which directories it is about is said by its events: the other table has no index by block. */
static int remove_places(struct pruner *p, int64_t block, struct err *err)
{
    const struct block_event *e = NULL;
    int64_t last[PLACE_COUNT] = { 0 };
    int r = block_reader_begin(p->reader, block, NULL);

    while (r == 0 && (r = block_reader_next(p->reader, &e, NULL)) == 1) {
        r = 0;
        for (unsigned i = 0; i < PLACE_COUNT && r == 0; i++) {
            int64_t directory = e->rows.row[BLOCK_DIRECTORIES + i];
            const int64_t values[] = { directory, block };
            int64_t n = directory && directory != last[i]
                            ? prune_run(p, "DELETE FROM block_place WHERE directory = ?1 AND block = ?2", values, 2, err)
                            : 0;

            last[i] = directory;
            r = n < 0 ? (int)n : 0;
        }
    }
    block_reader_end(p->reader);
    return r == -EBADMSG || r == -ENOENT ? 0 : r; /* a damaged one goes too; what is left of it finds nothing */
}

static int step_blocks(struct pruner *p, struct err *err)
{
    uint64_t block = 0;
    int64_t value = (int64_t)p->floor_ns, n;
    int r = prune_number(p, "SELECT ifnull((SELECT row FROM block WHERE first_ns < ?1 AND last_ns < ?1 LIMIT 1), 0)", &value, 1,
                         &block, err);

    if (r < 0 || !block)
        return r;
    value = (int64_t)block;
    r = remove_places(p, value, err);
    if (r < 0)
        return r;
    n = prune_run(p, "DELETE FROM block WHERE row = ?", &value, 1, err);
    p->removed |= n > 0;
    return n < 0 ? (int)n : n > 0;
}

static int step_lives(struct pruner *p, struct err *err)
{
    return remove_some(p, "DELETE FROM life WHERE row IN (SELECT row FROM life WHERE time_ns < ?1 LIMIT ?2)", err);
}

static int step_gaps(struct pruner *p, struct err *err)
{
    return remove_some(p, "DELETE FROM gap WHERE row IN (SELECT row FROM gap WHERE to_ns < ?1 LIMIT ?2)", err);
}

/* One span in a step: it may have thousands of places. */
static int step_coverage(struct pruner *p, uint64_t now_ns, struct err *err)
{
    uint64_t span = 0;
    int64_t values[2] = { (int64_t)p->floor_ns, (int64_t)(now_ns - MIN(OBSERVER_GONE_NS, now_ns)) }, n;
    int r = prune_number(p, "SELECT ifnull((SELECT row FROM coverage WHERE to_ns < ?1 AND (to_ns > 0 OR "
                            "(alive_ns < ?1 AND alive_ns < ?2)) LIMIT 1), 0)", values, 2, &span, err);

    if (r < 0 || !span)
        return r;
    values[0] = (int64_t)span;
    values[1] = p->rows;
    n = prune_run(p, "DELETE FROM coverage_place WHERE row IN (SELECT row FROM coverage_place WHERE coverage = ?1 LIMIT ?2)", values, 2,
            err);
    if (n == 0)
        n = prune_run(p, "DELETE FROM coverage WHERE row = ?1", values, 1, err);
    return n < 0 ? (int)n : 1;
}

/* ---- counted rows ---- */

#define ROLLUP_KEY "directory, place, other, suspect, suspect_rest, operation, error, victim, victim_kind, watch, hour"
#define ROLLUP_KEYS 11

static int remove_counted(struct pruner *p, const int64_t key[ROLLUP_KEYS], struct err *err)
{
    int64_t n = prune_run(p, "DELETE FROM rollup WHERE directory = ? AND place = ? AND other = ? AND suspect = ? AND "
                       "suspect_rest = ? AND operation = ? AND error = ? AND victim = ? AND victim_kind = ? AND watch = ? AND "
                       "hour = ?", key, ROLLUP_KEYS, err);

    return n < 0 ? (int)n : 0;
}

/* The row of one hour is counted into that of its day. */
static int join_day(struct pruner *p, const int64_t row[ROLLUP_KEYS + 4], struct err *err)
{
    int64_t joined[ROLLUP_KEYS + 4], n;

    memcpy(joined, row, sizeof(joined));
    joined[ROLLUP_KEYS - 1] -= joined[ROLLUP_KEYS - 1] % 24;
    n = prune_run(p, ROLLUP_INSERT, joined, ROLLUP_KEYS + 4, err);
    return n < 0 ? (int)n : remove_counted(p, row, err);
}

static uint64_t floor_of(const struct pruner *p, int64_t watch)
{
    for (size_t i = 0; watch && i < p->retention.watch_count; i++)
        if (p->watches[i].row == watch)
            return MAX(p->watches[i].floor_ns, p->floor_ns);
    return p->floor_ns;
}

struct counted {
    int64_t row[ROLLUP_KEYS + 4];
};

/* In the order of their key, a part of the table in each step. What is changed are rows before the one that is next. */
static int step_rollup(struct pruner *p, uint64_t now_ns, struct err *err)
{
    const int64_t young = (int64_t)(now_ns / ROLLUP_HOUR_NS) - HOURS_KEPT;
    struct counted *rows = calloc(p->rows, sizeof(*rows));
    sqlite3_stmt *s = NULL;
    unsigned count = 0, changes = 0, done = 0;
    int r = rows ? db_prepare(p->db, p->path,
                              "SELECT " ROLLUP_KEY ", count, first_ns, last_ns, first_event FROM rollup WHERE (" ROLLUP_KEY
                              ") > (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ORDER BY " ROLLUP_KEY " LIMIT ?", &s, err)
                 : err_set(err, -ENOMEM, "the store");
    int code = SQLITE_DONE;

    for (int i = 0; r == 0 && i < ROLLUP_KEYS; i++)
        sqlite3_bind_int64(s, i + 1, p->at[i]);
    if (r == 0)
        sqlite3_bind_int64(s, ROLLUP_KEYS + 1, p->rows);
    while (r == 0 && count < p->rows && (code = sqlite3_step(s)) == SQLITE_ROW) {
        for (int i = 0; i < ROLLUP_KEYS + 4; i++)
            rows[count].row[i] = sqlite3_column_int64(s, i);
        count++;
    }
    if (r == 0 && code != SQLITE_ROW && code != SQLITE_DONE)
        r = db_error(p->db, p->path, err);
    sqlite3_finalize(s);
    for (; done < count && changes < PRUNE_CHANGES_MAX && r == 0; done++) {
        const int64_t *row = rows[done].row;
        int64_t hour = row[ROLLUP_KEYS - 1];
        bool changed = true;

        if ((uint64_t)row[ROLLUP_KEYS + 2] < floor_of(p, row[ROLLUP_KEYS - 2]))
            r = remove_counted(p, row, err);
        else if (hour % 24 && hour < young)
            r = join_day(p, row, err);
        else
            changed = false;
        changes += changed;
    }
    if (done)
        memcpy(p->at, rows[done - 1].row, sizeof(p->at));
    free(rows);
    return r < 0 ? r : count == p->rows || done < count;
}

/* Pages at the end of the file; of a store that was made before there was this, none. */
static int step_vacuum(struct pruner *p, struct err *err)
{
    uint64_t how = 0, unused = 0, left = 0;
    char sql[64];
    int r = prune_number(p, "PRAGMA auto_vacuum", NULL, 0, &how, err);

    if (r == 0)
        r = prune_number(p, "PRAGMA freelist_count", NULL, 0, &unused, err);
    if (r < 0 || how != 2 || unused <= PAGES_SPARE)
        return r;
    snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
    r = db_exec(p->db, p->path, sql, err);
    if (r == 0)
        r = prune_number(p, "PRAGMA freelist_count", NULL, 0, &left, err);
    return r < 0 ? r : left > PAGES_SPARE && left < unused;
}

/* ---- one after the other ---- */

static int begin_task(struct pruner *p, const struct rows_in_use *in_use, struct err *err)
{
    static const char *const ends[] = {
        [DIRECTORIES] = "SELECT ifnull(max(row), 0) FROM directory",
        [PROCESSES] = "SELECT ifnull(max(row), 0) FROM process",
        [CONTAINERS] = "SELECT ifnull(max(row), 0) FROM container",
    };
    uint64_t last = 0;
    int r = 0;

    p->watch = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(p->at); i++)
        p->at[i] = p->task == ROLLUP ? INT64_MIN : 0;
    if (p->task == DIRECTORIES && !in_use)
        p->task = VACUUM;
    if (p->task == MARK) {
        bool due = p->removed && (p->too_big || clock_ns(CLOCK_MONOTONIC) >= p->sweep_ns);

        row_set_done(&p->processes);
        row_set_done(&p->containers);
        p->task = due ? MARK : VACUUM;
        if (due)
            r = prune_number(p, "SELECT ifnull(max(row), 0) FROM process", NULL, 0, &last, err); /* newer ones stay */
        p->last = (int64_t)last;
        return r;
    }
    if (p->task == PROCESSES) {
        p->at[0] = p->last;
        return 0;
    }
    if (p->task < ARRAY_SIZE(ends) && ends[p->task])
        r = prune_number(p, ends[p->task], NULL, 0, &last, err);
    p->last = (int64_t)last;
    return r;
}

static int one_step(struct pruner *p, uint64_t now_ns, const struct rows_in_use *in_use, struct err *err)
{
    if (p->task >= DIRECTORIES && p->task < VACUUM && !in_use) /* somebody else has come */
        return 0;
    switch (p->task) {
    case EVENTS:
        return step_events(p, err);
    case WATCH_EVENTS:
        return step_watch_events(p, err);
    case BLOCKS:
        return step_blocks(p, err);
    case LIVES:
        return step_lives(p, err);
    case GAPS:
        return step_gaps(p, err);
    case COVERAGE:
        return step_coverage(p, now_ns, err);
    case ROLLUP:
        return step_rollup(p, now_ns, err);
    case DIRECTORIES:
        return prune_step_directories(p, err);
    case MARK:
        return prune_step_mark(p, in_use, err);
    case PROCESSES:
        return prune_step_processes(p, err);
    case CONTAINERS:
        return prune_step_containers(p, err);
    case VACUUM:
        return step_vacuum(p, err);
    case IDLE:
        break;
    }
    return 0;
}

/* Steps take about as long as each other, on whatever disk. */
static void fit(struct pruner *p, uint64_t ns)
{
    if (ns > 2 * STEP_NS)
        p->rows = MAX(p->rows / 2, ROWS_MIN);
    else if (ns < STEP_NS / 2)
        p->rows = MIN(p->rows * 2, ROWS_MAX);
}

static int transaction(struct pruner *p, uint64_t now_ns, const struct rows_in_use *in_use, struct err *err)
{
    int r = db_exec(p->db, p->path, "BEGIN IMMEDIATE", err), more = 0;
    bool work = false;

    if (r == 0 && p->task == IDLE) {
        r = look(p, now_ns, &work, err);
        more = work;
    } else if (r == 0) {
        r = more = one_step(p, now_ns, in_use, err);
        work = true;
    }
    if (r >= 0)
        r = db_exec(p->db, p->path, "COMMIT", err);
    if (r < 0) {
        (void)sqlite3_exec(p->db, "ROLLBACK", NULL, NULL, NULL);
        p->task = IDLE; /* from the beginning: what was marked may be wrong */
        p->known = false;
        return r;
    }
    if (p->task == IDLE && !work)
        return 0;
    if (p->task == IDLE) {
        p->task = EVENTS;
        r = begin_task(p, in_use, err);
    } else if (!more) {
        if (p->task == CONTAINERS) {
            p->removed = false;
            p->sweep_ns = clock_ns(CLOCK_MONOTONIC) + SWEEP_NS;
        }
        p->task++;
        r = p->task == IDLE ? 0 : begin_task(p, in_use, err);
    }
    return r < 0 ? r : p->task != IDLE;
}

/* While nothing is removed: what marks the processes in use must see every event where it was. */
static int compact(struct pruner *p, uint64_t now_ns, struct err *err)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC), before_ns = now_ns - MIN(p->retention.compact_ns, now_ns);
    int r, more = 0;

    if (!p->compactor || now < p->compact_ns)
        return 0;
    r = db_exec(p->db, p->path, "BEGIN IMMEDIATE", err);
    if (r == 0)
        r = more = compactor_step(p->compactor, before_ns, before_ns - MIN(DAY_NS, before_ns), err);
    if (r >= 0)
        r = db_exec(p->db, p->path, "COMMIT", err);
    if (r < 0) {
        (void)sqlite3_exec(p->db, "ROLLBACK", NULL, NULL, NULL);
        compactor_roll_back(p->compactor);
        return r;
    }
    if (!more)
        p->compact_ns = now + LOOK_NS;
    return more;
}

int pruner_step(struct pruner *p, uint64_t now_ns, const struct rows_in_use *in_use, bool *ret_forget, struct err *err)
{
    uint64_t begin_ns = clock_ns(CLOCK_MONOTONIC);
    enum task was = p->task;
    int r;

    *ret_forget = false;
    if (p->task == IDLE && begin_ns < p->look_ns)
        return compact(p, now_ns, err);
    p->look_ns = begin_ns + LOOK_NS;
    r = transaction(p, now_ns, in_use, err);
    if (r < 0 || (p->too_big && was != IDLE && p->task == IDLE)) /* is it enough? */
        p->look_ns = 0;
    fit(p, clock_ns(CLOCK_MONOTONIC) - begin_ns);
    *ret_forget = p->forget;
    p->forget = false;
    return r == 0 && was != IDLE && p->too_big ? 1 : r;
}
