/* SPDX-License-Identifier: MIT */
/* What others refer to, once nothing does any more: directories, processes, containers. */
#include <errno.h>
#include <stdlib.h>

#include "store/prune_state.h"

/* Of those that were counted, and those that events are found by: while rows become days a directory above may be in neither. */
int prune_step_directories(struct pruner *p, struct err *err)
{
    const int64_t values[] = { p->at[0], p->at[0] + p->rows };
    int64_t n = prune_run(p, "DELETE FROM directory WHERE row > ?1 AND row <= ?2 AND "
                       "NOT EXISTS (SELECT 1 FROM rollup WHERE rollup.directory = directory.row) AND "
                       "NOT EXISTS (SELECT 1 FROM daily WHERE daily.directory = directory.row) AND "
                       "NOT EXISTS (SELECT 1 FROM block_place WHERE block_place.directory = directory.row) AND "
                       "NOT EXISTS (SELECT 1 FROM event WHERE event.directory = directory.row) AND "
                       "NOT EXISTS (SELECT 1 FROM event WHERE event.previous_directory = directory.row) AND "
                       "NOT EXISTS (SELECT 1 FROM event WHERE event.host_directory = directory.row)", values, 2, err);

    p->forget |= n > 0;
    p->at[0] = values[1];
    return n < 0 ? (int)n : p->at[0] < p->last;
}

static int mark(struct pruner *p, int64_t process, struct err *err)
{
    return process && !row_set_add(&p->processes, process) ? err_set(err, -ENOMEM, "the store") : 0;
}

static int mark_victim(struct pruner *p, int64_t container, struct err *err)
{
    return container > 0 && !row_set_add(&p->containers, container) ? err_set(err, -ENOMEM, "the store") : 0;
}

/* What is damaged of a block finds no question either: nothing that it may refer to is missed, and the others are not to wait for it. */
static int leave_damaged(struct pruner *p, int r, const struct err *why, struct err *err)
{
    if (r == -EBADMSG && block_reader_is_damaged(p->reader)) {
        p->unmarked = *why;
        return 0;
    }
    return r < 0 ? err_say(err, r, "%s", err_text(why, r)) : r;
}

/* What the events of one block refer to. 0: there is none any more. */
static int mark_block(struct pruner *p, struct err *err)
{
    const struct block_event *e = NULL;
    struct err why = ERR_INIT;
    uint64_t block = 0;
    int64_t before = 0;
    int r = prune_number(p, "SELECT ifnull((SELECT min(row) FROM block WHERE row > ?), 0)", p->at, 1, &block, err);

    if (r < 0 || !block)
        return r;
    p->at[0] = (int64_t)block;
    r = block_reader_begin(p->reader, (int64_t)block, &why);
    while (r == 0 && (r = block_reader_next(p->reader, &e, &why)) == 1) {
        r = e->rows.row[BLOCK_PROCESS] == before ? 0 : mark(p, e->rows.row[BLOCK_PROCESS], &why);
        before = e->rows.row[BLOCK_PROCESS];
        if (r == 0)
            r = mark_victim(p, e->rows.row[BLOCK_VICTIM], &why);
    }
    block_reader_end(p->reader);
    r = leave_damaged(p, r, &why, err);
    return r < 0 ? r : 1;
}

/* Some of those that are rows: 1, there may be more. */
static int mark_rows(struct pruner *p, struct err *err)
{
    sqlite3_stmt *s = NULL;
    unsigned seen = 0;
    int r = db_prepare(p->db, p->path, "SELECT row, process, ifnull(victim, 0) FROM event WHERE row > ? ORDER BY row LIMIT ?", &s, err);
    int code = SQLITE_DONE;

    if (r == 0) {
        sqlite3_bind_int64(s, 1, p->at[1]);
        sqlite3_bind_int64(s, 2, p->rows);
    }
    while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW) {
        seen++;
        p->at[1] = sqlite3_column_int64(s, 0);
        r = mark(p, sqlite3_column_int64(s, 1), err);
        if (r == 0)
            r = mark_victim(p, sqlite3_column_int64(s, 2), err);
    }
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(p->db, p->path, err);
    sqlite3_finalize(s);
    return r < 0 ? r : seen == p->rows;
}

/*
 * Whatever is written meanwhile is newer than what is swept, or refers to what the writer remembers in the last step. Rows come before
 * blocks, and blocks before days: `culprit prune` beside a daemon makes blocks of rows between two steps, and what it has moved is then seen
 * where it has come to.
 */
int prune_step_mark(struct pruner *p, const struct rows_in_use *in_use, struct err *err)
{
    int r = mark_rows(p, err);

    if (r == 0)
        r = mark_block(p, err);
    if (r == 0)
        r = prune_mark_daily(p, err);
    for (size_t i = 0; r == 0 && i < in_use->count; i++) {
        r = mark(p, in_use->processes[i], err);
        if (r == 0 && in_use->containers[i] && !row_set_add(&p->containers, in_use->containers[i]))
            r = err_set(err, -ENOMEM, "the store");
    }
    return r;
}

int prune_mark_process(struct pruner *p, int64_t parent, int64_t earlier, int64_t container, struct err *err)
{
    int r = mark(p, parent, err);

    if (r == 0)
        r = mark(p, earlier, err);
    return r == 0 && container && !row_set_add(&p->containers, container) ? err_set(err, -ENOMEM, "the store") : r;
}

/* From the newest to the oldest: what a process refers to is older than it is. */
int prune_step_processes(struct pruner *p, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int64_t *gone = calloc(p->rows, sizeof(*gone));
    unsigned seen = 0, count = 0;
    int r = gone ? db_prepare(p->db, p->path,
                              "SELECT row, parent, earlier, container FROM process WHERE row <= ? ORDER BY row DESC LIMIT ?", &s,
                              err)
                 : err_set(err, -ENOMEM, "the store");
    int code = SQLITE_DONE;

    if (r == 0) {
        sqlite3_bind_int64(s, 1, p->at[0]);
        sqlite3_bind_int64(s, 2, p->rows);
    }
    while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW) {
        int64_t row = sqlite3_column_int64(s, 0);

        seen++;
        p->at[0] = row - 1;
        if (!row_set_has(&p->processes, row)) {
            gone[count++] = row;
            continue;
        }
        r = prune_mark_process(p, sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 3), err);
    }
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(p->db, p->path, err);
    sqlite3_finalize(s);
    for (unsigned i = 0; i < count && r == 0; i++) {
        int64_t n = prune_run(p, "DELETE FROM process WHERE row = ?", &gone[i], 1, err);

        r = n < 0 ? (int)n : 0;
    }
    free(gone);
    return r < 0 ? r : seen > 0;
}

int prune_step_containers(struct pruner *p, struct err *err)
{
    int64_t row = p->at[0] + 1, n = 0;

    for (unsigned i = 0; i < PRUNE_CHANGES_MAX && row <= p->last && n >= 0; i++, row++)
        if (!row_set_has(&p->containers, row))
            n = prune_run(p, "DELETE FROM container WHERE row = ?1 AND NOT EXISTS (SELECT 1 FROM rollup WHERE victim = ?1) AND "
                       "NOT EXISTS (SELECT 1 FROM life WHERE container = ?1)", &row, 1, err);
    p->at[0] = row - 1;
    return n < 0 ? (int)n : row <= p->last;
}
