/* SPDX-License-Identifier: MIT */
/* Processes in packs: those that nothing refers to any more are left out, from the newest pack to the oldest. */
#include <errno.h>
#include <stdlib.h>

#include "store/process_pack.h"
#include "store/prune_state.h"

struct sweep {
    struct process_unpacking unpacking;
    struct process_packing packing;
    struct sbuf stored, kept;
    struct process_values all[PROCESS_PACK_MAX]; /* views into what is unpacked */
    unsigned count;
};

/* The pack before `at`. 0: there is none. */
static int read_pack(struct pruner *p, struct sweep *w, int64_t *ret_row, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(p->db, p->path, "SELECT row, data FROM process_pack WHERE row <= ? ORDER BY row DESC LIMIT 1", &s, err), code;

    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, p->at[0]);
    code = sqlite3_step(s);
    if (code == SQLITE_ROW) {
        *ret_row = sqlite3_column_int64(s, 0);
        sbuf_add_bytes(&w->stored, db_column_bytes(s, 1));
        r = sbuf_error(&w->stored) ? err_set(err, -ENOMEM, "the store") : 1;
    } else if (code != SQLITE_DONE) {
        r = db_error(p->db, p->path, err);
    }
    sqlite3_finalize(s);
    return r;
}

/* -EBADMSG: damaged, or no culprit's. */
static int unpack(struct sweep *w, int64_t row)
{
    int r = process_unpack(&w->unpacking, row, sbuf_bytes(&w->stored));

    while (r == 0 && (r = process_unpack_next(&w->unpacking)) == 1) {
        if (w->count == PROCESS_PACK_MAX)
            return -EBADMSG;
        w->all[w->count++] = w->unpacking.now;
        r = 0;
    }
    return r;
}

static bool is_kept(const struct pruner *p, int64_t row)
{
    return row > p->last || row_set_has(&p->processes, row);
}

static int mark_kept(struct pruner *p, struct sweep *w, unsigned *ret_kept, struct err *err)
{
    int r = 0;

    *ret_kept = 0;
    for (unsigned i = w->count; i > 0 && r == 0; i--) {
        const struct process_values *v = &w->all[i - 1];

        if (!is_kept(p, v->row))
            continue;
        ++*ret_kept;
        r = prune_mark_process(p, (int64_t)v->numbers[PROCESS_PARENT], (int64_t)v->numbers[PROCESS_EARLIER],
                               (int64_t)v->numbers[PROCESS_CONTAINER], err);
    }
    return r;
}

static int write_kept(struct pruner *p, struct sweep *w, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int64_t first = 0;
    int r = 0;

    for (unsigned i = 0; i < w->count && r == 0; i++)
        if (is_kept(p, w->all[i].row)) {
            first = first ? first : w->all[i].row;
            r = process_pack_add(&w->packing, &w->all[i]);
        }
    if (r == 0)
        r = process_pack_write(&w->packing, &w->kept);
    if (r < 0)
        return err_set(err, r, "the store");
    r = db_prepare(p->db, p->path, "INSERT INTO process_pack VALUES (?, ?)", &s, err);
    if (r == 0) {
        sqlite3_bind_int64(s, 1, first);
        db_bind_bytes(s, 2, sbuf_bytes(&w->kept));
        r = db_run(p->db, p->path, s, err);
    }
    sqlite3_finalize(s);
    return r;
}

static int sweep(struct pruner *p, struct sweep *w, struct err *err)
{
    int64_t row = 0, n;
    unsigned kept = 0;
    int r = read_pack(p, w, &row, err);

    if (r <= 0)
        return r;
    p->at[0] = row - 1;
    r = unpack(w, row);
    if (r == -EBADMSG) /* it stays: who reads it says so */
        return 1;
    if (r < 0)
        return err_set(err, r, "the store");
    r = mark_kept(p, w, &kept, err);
    if (r < 0 || kept == w->count)
        return r < 0 ? r : 1;
    n = prune_run(p, "DELETE FROM process_pack WHERE row = ?", &row, 1, err);
    r = n < 0 ? (int)n : 0;
    if (r == 0 && kept)
        r = write_kept(p, w, err);
    return r < 0 ? r : 1;
}

int prune_step_packs(struct pruner *p, struct err *err)
{
    struct sweep *w = calloc(1, sizeof(*w));
    int r = w ? sweep(p, w, err) : err_set(err, -ENOMEM, "the store");

    if (!w)
        return r;
    process_unpacking_done(&w->unpacking);
    process_packing_done(&w->packing);
    sbuf_done(&w->stored);
    sbuf_done(&w->kept);
    free(w);
    return r;
}
