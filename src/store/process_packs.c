/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/fields.h"
#include "store/process_pack.h"
#include "util/macro.h"

#define OPEN 4 /* packs at hand: launchers are in another one than what they launch */

/* A pack, read as far as was asked for. What somebody removes from it meanwhile nobody refers to. */
struct open_pack {
    int64_t row; /* its first one; 0: none is open */
    uint64_t used;
    bool is_begun;
    struct process_unpacking unpacking;
};

struct process_packs {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *find;
    struct open_pack open[OPEN];
    uint64_t used;
};

int process_packs_new(sqlite3 *db, const char *path, struct process_packs **ret, struct err *err)
{
    struct process_packs *p = calloc(1, sizeof(*p));
    int r;

    if (!p)
        return err_set(err, -ENOMEM, "the store");
    p->db = db;
    p->path = path;
    r = db_prepare(db, path, "SELECT row, data FROM process_pack WHERE row <= ? ORDER BY row DESC LIMIT 1", &p->find, err);
    if (r < 0) {
        process_packs_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void process_packs_free(struct process_packs *p)
{
    if (!p)
        return;
    sqlite3_finalize(p->find);
    for (unsigned i = 0; i < OPEN; i++)
        process_unpacking_done(&p->open[i].unpacking);
    free(p);
}

static int damaged(const struct process_packs *p, int64_t row, struct err *err)
{
    return err_say(err, -EBADMSG, "%s is damaged: the processes of pack %lld cannot be read", p->path, (long long)row);
}

static struct open_pack *slot_of(struct process_packs *p, int64_t row)
{
    struct open_pack *oldest = p->open;

    for (unsigned i = 0; i < OPEN; i++) {
        if (p->open[i].row == row)
            return &p->open[i];
        if (p->open[i].used < oldest->used)
            oldest = &p->open[i];
    }
    oldest->row = 0;
    return oldest;
}

/* The pack that would have the row. -ENOENT: there is none. */
static int open_pack(struct process_packs *p, int64_t row, struct open_pack **ret, struct err *err)
{
    int code, r = 0;

    sqlite3_bind_int64(p->find, 1, row);
    code = sqlite3_step(p->find);
    if (code == SQLITE_ROW) {
        int64_t pack = sqlite3_column_int64(p->find, 0);
        struct open_pack *o = slot_of(p, pack);

        if (o->row != pack) {
            r = process_unpack(&o->unpacking, pack, db_column_bytes(p->find, 1));
            o->row = r == 0 ? pack : 0;
            o->is_begun = false;
        }
        if (r < 0)
            r = r == -EBADMSG ? damaged(p, pack, err) : err_set(err, r, "the store");
        o->used = ++p->used;
        *ret = o;
    } else {
        r = code == SQLITE_DONE ? -ENOENT : db_error(p->db, p->path, err);
    }
    sqlite3_reset(p->find);
    return r;
}

int process_packs_find(struct process_packs *p, int64_t row, const struct process_values **ret, struct err *err)
{
    struct open_pack *o = NULL;
    int r = open_pack(p, row, &o, err);

    if (r < 0)
        return r;
    if (o->is_begun && o->unpacking.now.row > row) {
        process_unpack_again(&o->unpacking);
        o->is_begun = false;
    }
    for (r = 1; r == 1 && (!o->is_begun || o->unpacking.now.row < row); o->is_begun = true)
        r = process_unpack_next(&o->unpacking);
    if (r < 0) {
        o->row = 0;
        return damaged(p, row, err);
    }
    if (r == 0) { /* behind the last one */
        process_unpack_again(&o->unpacking);
        o->is_begun = false;
        return -ENOENT;
    }
    *ret = &o->unpacking.now;
    return o->unpacking.now.row == row ? 0 : -ENOENT;
}

/* ---- making them ---- */

/* A row: its number, what it refers to, its own fields. */
static void read_values(sqlite3_stmt *s, struct process_values *v)
{
    v->row = sqlite3_column_int64(s, 0);
    for (int i = 0; i < sqlite3_column_count(s) - 1; i++)
        if (i >= PROCESS_OWN && process_fields[i - PROCESS_OWN].type == FIELD_BYTES)
            v->bytes[i] = db_column_bytes(s, i + 1);
        else
            v->numbers[i] = (uint64_t)sqlite3_column_int64(s, i + 1);
}

static int read_rows(struct process_packs *p, int64_t last, struct process_packing *packing, int64_t ret[2], struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    struct process_values *v = calloc(1, sizeof(*v));
    sqlite3_stmt *s = NULL;
    int r = v ? 0 : -ENOMEM, code = SQLITE_DONE;

    sbuf_add_str(&sql, "SELECT row, parent, container, earlier, ");
    fields_columns(process_fields, "", &sql);
    sbuf_addf(&sql, " FROM process WHERE row <= ? ORDER BY row LIMIT %d", PROCESS_PACK_MAX);
    if (r == 0)
        r = db_prepare(p->db, p->path, sbuf_str(&sql), &s, err);
    if (r == 0)
        sqlite3_bind_int64(s, 1, last);
    while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW) {
        read_values(s, v);
        ret[0] = packing->count ? ret[0] : v->row;
        if (v->row - ret[0] >= PROCESS_PACK_SPAN)
            break;
        ret[1] = v->row;
        r = process_pack_add(packing, v);
        if (r < 0)
            (void)err_set(err, r, "the store");
    }
    if (r == 0 && code != SQLITE_DONE && code != SQLITE_ROW)
        r = db_error(p->db, p->path, err);
    sqlite3_finalize(s);
    free(v);
    return r;
}

static int run(struct process_packs *p, const char *sql, int64_t a, int64_t b, struct bytes data, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(p->db, p->path, sql, &s, err);

    if (r == 0) {
        sqlite3_bind_int64(s, 1, a);
        if (data.data)
            db_bind_bytes(s, 2, data);
        else
            sqlite3_bind_int64(s, 2, b);
        r = db_run(p->db, p->path, s, err);
    }
    sqlite3_finalize(s);
    return r;
}

/* The last row that is not young; 0: there are too few. */
static int last_due(struct process_packs *p, int64_t young, int64_t *ret, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(p->db, p->path, "SELECT (SELECT ifnull(max(row), 0) FROM process) - ?1, (SELECT ifnull(min(row), 0) FROM process)", &s, err);

    if (r == 0)
        sqlite3_bind_int64(s, 1, young);
    if (r == 0 && sqlite3_step(s) == SQLITE_ROW)
        *ret = sqlite3_column_int64(s, 0) - sqlite3_column_int64(s, 1) >= PROCESS_PACK_MAX - 1 ? sqlite3_column_int64(s, 0) : 0;
    else if (r == 0)
        r = db_error(p->db, p->path, err);
    sqlite3_finalize(s);
    return r;
}

int process_packs_step(struct process_packs *p, int64_t young, struct err *err)
{
    _cleanup_sbuf_ struct sbuf data = SBUF_INIT;
    struct process_packing *packing;
    int64_t last = 0, rows[2] = { 0 };
    bool some = false;
    int r = last_due(p, young, &last, err);

    if (r < 0 || !last)
        return r;
    packing = calloc(1, sizeof(*packing));
    if (!packing)
        return err_set(err, -ENOMEM, "the store");
    r = read_rows(p, last, packing, rows, err);
    some = packing->count > 0;
    if (r == 0 && some && (r = process_pack_write(packing, &data)) < 0)
        (void)err_set(err, r, "the store");
    if (r == 0 && some)
        r = run(p, "INSERT INTO process_pack VALUES (?, ?)", rows[0], 0, sbuf_bytes(&data), err);
    if (r == 0 && some)
        r = run(p, "DELETE FROM process WHERE row >= ? AND row <= ?", rows[0], rows[1], BYTES_NULL, err);
    if (r == 0 && some && sqlite3_changes64(p->db) != packing->count)
        r = err_say(err, -EBADMSG, "%s is damaged: processes that are there cannot be removed", p->path);
    process_packing_done(packing);
    free(packing);
    return r < 0 ? r : some;
}
