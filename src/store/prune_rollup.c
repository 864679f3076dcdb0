/* SPDX-License-Identifier: MIT */
/* Counted rows: too old ones go. Those that stay become days by the compactor (store/daily.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/prune_state.h"
#include "store/rollup.h"
#include "util/macro.h"

#define ROLLUP_KEY "directory, place, other, suspect, suspect_rest, operation, error, victim, victim_kind, watch, hour"
#define ROLLUP_KEYS 11

static int remove_counted(struct pruner *p, const int64_t key[ROLLUP_KEYS], struct err *err)
{
    int64_t n = prune_run(p, "DELETE FROM rollup WHERE directory = ? AND place = ? AND other = ? AND suspect = ? AND "
                       "suspect_rest = ? AND operation = ? AND error = ? AND victim = ? AND victim_kind = ? AND watch = ? AND "
                       "hour = ?", key, ROLLUP_KEYS, err);

    return n < 0 ? (int)n : 0;
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

/* What is changed are rows before the one that is next. */
int prune_step_rollup(struct pruner *p, struct err *err)
{
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

        if ((uint64_t)row[ROLLUP_KEYS + 2] >= floor_of(p, row[ROLLUP_KEYS - 2]))
            continue;
        r = remove_counted(p, row, err);
        changes++;
    }
    if (done)
        memcpy(p->at, rows[done - 1].row, sizeof(p->at));
    free(rows);
    return r < 0 ? r : count == p->rows || done < count;
}
