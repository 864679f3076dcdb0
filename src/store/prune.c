/* SPDX-License-Identifier: MIT */
#include "store/prune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/prune_state.h"
#include "store/rollup.h"
#include "store/room.h"
#include "util/clock.h"
#include "util/macro.h"

#define LOOK_NS (10 * NS_PER_S)   /* CLOCK_MONOTONIC: is something too old, or the store too big? */
#define PAUSE_MAX_NS (3600 * NS_PER_S) /* of what fails: twice as long each time */
#define SWEEP_NS (3600 * NS_PER_S) /* processes: every block is read for them */
#define STEP_NS (4 * NS_PER_MS)   /* so long a step is to take */
#define ROWS_MIN 16
#define ROWS_MAX 512
#define VACUUM_PAGES 64
#define PAGES_SPARE 512           /* free ones that are not given back: they are needed again soon */
#define OBSERVER_GONE_NS (7 * DAY_NS) /* whoever has not said for so long that he is alive; he may only have been stopped */

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
    if (r == 0)
        r = block_new(db, path, &p->anew, err);
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
    prune_forget_statements(p);
    block_reader_free(p->reader);
    block_free(p->anew);
    compactor_free(p->compactor);
    row_set_done(&p->processes);
    row_set_done(&p->containers);
    free(p->watches);
    arena_done(&p->arena);
    free(p);
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

/* Pages at the end of the file; of a store that was made before there was this, none. */
static int step_vacuum(struct pruner *p, struct err *err)
{
    uint64_t how = 0, unused = 0, left = 0;
    char sql[64];
    int r = prune_number(p, "PRAGMA auto_vacuum", NULL, 0, &how, err);

    if (r == 0)
        r = prune_number(p, "PRAGMA freelist_count", NULL, 0, &unused, err);
    if (r < 0 || how != 2 || unused <= PAGES_SPARE || (p->full && room_is_enough(p->path)))
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
        p->at[i] = p->task == ROLLUP || p->task == DAILY || p->task == WATCH_BLOCKS ? INT64_MIN : 0;
    if (p->task == DIRECTORIES && !in_use)
        p->task = VACUUM;
    if (p->task == MARK) {
        bool due = p->removed && (p->too_big || clock_ns(CLOCK_MONOTONIC) >= p->sweep_ns);

        row_set_done(&p->processes);
        row_set_done(&p->containers);
        if (due)
            p->unmarked = ERR_INIT;
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
    int r;

    if (p->task >= DIRECTORIES && p->task < VACUUM && !in_use) /* somebody else has come */
        return 0;
    switch (p->task) {
    case EVENTS:
        return step_events(p, err);
    case WATCH_EVENTS:
        return step_watch_events(p, err);
    case BLOCKS:
        return prune_step_blocks(p, err);
    case WATCH_BLOCKS:
        return prune_step_watch_blocks(p, err);
    case LIVES:
        return step_lives(p, err);
    case GAPS:
        return step_gaps(p, err);
    case COVERAGE:
        return step_coverage(p, now_ns, err);
    case ROLLUP:
        return prune_step_rollup(p, err);
    case DAILY:
        return prune_step_daily(p, err);
    case DIRECTORIES:
        return prune_step_directories(p, err);
    case MARK:
        return prune_step_mark(p, in_use, err);
    case PROCESSES:
        r = prune_step_processes(p, err);
        return r ? r : prune_step_packs(p, err);
    case CONTAINERS:
        return prune_step_containers(p, err);
    case VACUUM:
        return step_vacuum(p, err);
    case IDLE:
        break;
    }
    return 0;
}

/* Steps take about as long as each other, on whatever disk, and what SQLite's log needs for one has to fit there. */
static void fit(struct pruner *p, uint64_t ns, bool fits)
{
    if (!fits)
        p->rows = MAX(p->rows / 4, ROWS_MIN);
    else if (ns > 2 * STEP_NS)
        p->rows = MAX(p->rows / 2, ROWS_MIN);
    else if (ns < STEP_NS / 2)
        p->rows = MIN(p->rows * 2, ROWS_MAX);
}

static int transaction(struct pruner *p, uint64_t now_ns, const struct rows_in_use *in_use, struct err *err)
{
    int r = db_exec(p->db, p->path, "BEGIN IMMEDIATE", err), more = 0;
    bool work = false;

    if (r == 0 && p->task == IDLE) {
        r = prune_look(p, now_ns, &work, err);
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
    if (p->task == IDLE && !work) {
        p->full = false;
        return 0;
    }
    if (p->task == IDLE) {
        p->task = EVENTS;
        r = begin_task(p, in_use, err);
    } else if (!more) {
        if (p->task == CONTAINERS) {
            p->removed = false;
            p->sweep_ns = clock_ns(CLOCK_MONOTONIC) + SWEEP_NS;
        }
        p->task++;
        p->full &= p->task != IDLE;
        r = p->task == IDLE ? 0 : begin_task(p, in_use, err);
    }
    return r < 0 ? r : p->task != IDLE;
}

/* What passes by itself is no fault: a disk that is full is said where it cannot be written, and somebody else writes for a moment only. */
static bool is_fault(int r)
{
    return r < 0 && r != -EBUSY && r != -ENOSPC && r != -ENOMEM;
}

/* Returned is how long it is left alone. */
static uint64_t note(struct prune_failing *f, int r, const struct err *why)
{
    if (!is_fault(r)) {
        if (r == 0)
            *f = (struct prune_failing){ 0 };
        return LOOK_NS;
    }
    f->pause_ns = f->pause_ns ? MIN(2 * f->pause_ns, PAUSE_MAX_NS) : LOOK_NS;
    (void)err_say(&f->why, r, "%s", err_text(why, r));
    return f->pause_ns;
}

const char *pruner_fault(const struct pruner *p)
{
    const char *const all[] = { p->rounds.why.text, p->compacting.why.text, p->unmarked.text, p->compactor ? compactor_fault(p->compactor) : "" };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i][0])
            return all[i];
    return "";
}

/* While nothing is removed: what marks the processes in use must see every event where it was. */
static int compact(struct pruner *p, uint64_t now_ns, struct err *err)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    struct err why = ERR_INIT;
    int r;

    if (!p->compactor || now < p->compact_ns)
        return 0;
    r = compactor_run(p->compactor, now_ns, p->retention.compact_ns, &why);
    if (r != 1) /* a disk that is full still is for a while */
        p->compact_ns = now + note(&p->compacting, r, &why);
    return r < 0 ? err_say(err, r, "%s", err_text(&why, r)) : r;
}

void pruner_make_room(struct pruner *p)
{
    p->full = true;
    p->task = IDLE; /* from its beginning */
    p->look_ns = 0;
}

bool pruner_makes_room(const struct pruner *p)
{
    return p->full;
}

void pruner_end_room(struct pruner *p)
{
    p->full = false;
}

int pruner_step(struct pruner *p, uint64_t now_ns, const struct rows_in_use *in_use, bool *ret_forget, struct err *err)
{
    uint64_t begin_ns = clock_ns(CLOCK_MONOTONIC);
    enum task was = p->task;
    struct err why = ERR_INIT;
    int r;

    *ret_forget = false;
    if (p->task == IDLE && begin_ns < p->look_ns)
        return compact(p, now_ns, err);
    p->look_ns = begin_ns + LOOK_NS;
    r = transaction(p, now_ns, in_use, &why);
    if (is_fault(r) || (r == 0 && p->task == IDLE))
        p->look_ns = begin_ns + note(&p->rounds, r, &why);
    else if (r < 0)
        p->look_ns = 0;
    if (r >= 0 && p->too_big && was != IDLE && p->task == IDLE) /* is it enough? */
        p->look_ns = 0;
    fit(p, clock_ns(CLOCK_MONOTONIC) - begin_ns, r != -ENOSPC);
    *ret_forget = p->forget;
    p->forget = false;
    if (r < 0)
        return err_say(err, r, "%s", err_text(&why, r));
    return r == 0 && was != IDLE && p->too_big ? 1 : r;
}
