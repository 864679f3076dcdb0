/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/fields.h"
#include "store/writer_state.h"
#include "util/hash_table.h"

#define DIRECTORIES_MAX 16384 /* remembered: about 2 MB */

struct directory {
    int64_t row;
    UT_hash_handle hh;
    size_t len;
    char path[];
};

/* ---- statements ---- */

int writer_run(struct writer *w, enum statement which)
{
    return db_run(w->db, w->path, w->statements[which], w->err);
}

int writer_ask(struct writer *w, enum statement which, int64_t *ret)
{
    sqlite3_stmt *s = w->statements[which];
    int r = 0;

    if (sqlite3_step(s) == SQLITE_ROW)
        *ret = sqlite3_column_int64(s, 0);
    else
        r = db_error(w->db, w->path, w->err);
    sqlite3_reset(s);
    return r;
}

void writer_bind_row(sqlite3_stmt *s, int at, int64_t row)
{
    if (row)
        sqlite3_bind_int64(s, at, row);
    else
        sqlite3_bind_null(s, at);
}

/* ---- rows that are found again ---- */

int writer_find_row(struct writer *w, enum statement insert, enum statement find, struct bytes value, int64_t *ret)
{
    sqlite3_stmt *s = w->statements[find];
    int r;

    db_bind_bytes(w->statements[insert], 1, value);
    r = writer_run(w, insert);
    if (r < 0)
        return r;
    if (sqlite3_changes(w->db)) {
        *ret = sqlite3_last_insert_rowid(w->db);
        return 0;
    }
    db_bind_bytes(s, 1, value);
    if (sqlite3_step(s) == SQLITE_ROW)
        *ret = sqlite3_column_int64(s, 0);
    else
        r = db_error(w->db, w->path, w->err);
    sqlite3_reset(s);
    return r;
}

void writer_forget_directories(struct writer *w)
{
    struct directory *d, *next;

    HASH_ITER(hh, w->directories, d, next) {
        HASH_DEL(w->directories, d);
        free(d);
    }
}

int writer_find_directory(struct writer *w, struct bytes path, int64_t *ret)
{
    struct directory *d;
    int r;

    *ret = 0;
    if (!bytes_known(path))
        return 0;
    HASH_FIND(hh, w->directories, path.data, path.len, d);
    if (d) {
        *ret = d->row;
        return 0;
    }
    r = writer_find_row(w, INSERT_DIRECTORY, FIND_DIRECTORY, path, ret);
    if (r < 0)
        return r;
    if (HASH_COUNT(w->directories) >= DIRECTORIES_MAX)
        writer_forget_directories(w);
    d = malloc(sizeof(*d) + path.len);
    if (!d)
        return 0; /* it will be looked up again */
    d->row = *ret;
    d->len = path.len;
    memcpy(d->path, path.data, path.len);
    HASH_ADD_KEYPTR(hh, w->directories, d->path, d->len, d);
    HASH_FREE_IF_OUT(hh, d);
    return 0;
}

int64_t writer_row_of(const int64_t *rows, uint64_t slot)
{
    return slot <= MESSAGE_SLOTS ? rows[slot] : 0;
}

/* ---- a row each ---- */

static int set_slot(struct writer *w, int64_t *slot, int64_t row)
{
    if (w->undo_count == w->undo_size) {
        size_t size = w->undo_size ? 2 * w->undo_size : 64;
        struct undo *undo = realloc(w->undo, size * sizeof(*undo));

        if (!undo)
            return -ENOMEM;
        w->undo = undo;
        w->undo_size = size;
    }
    w->undo[w->undo_count++] = (struct undo){ slot, *slot };
    *slot = row;
    return 0;
}

static int bind_fields(const struct field *fields, struct bytes *m, sqlite3_stmt *s, int first)
{
    int r = fields_bind(fields, m, s, first);

    return r == -EBADMSG ? MESSAGE_MALFORMED : r;
}

int writer_container(struct writer *w, struct bytes m)
{
    uint64_t slot;
    int r;

    if (!unpack_u64(&m, &slot) || slot == 0 || slot > MESSAGE_SLOTS)
        return MESSAGE_MALFORMED;
    r = bind_fields(container_fields, &m, w->statements[INSERT_CONTAINER], 1);
    if (r == 0)
        r = writer_run(w, INSERT_CONTAINER);
    return r < 0 ? r : set_slot(w, &w->containers[slot], sqlite3_last_insert_rowid(w->db));
}

int writer_process(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_PROCESS];
    uint64_t slot, parent, container, earlier;
    int r;

    if (!unpack_u64(&m, &slot) || slot == 0 || slot > MESSAGE_SLOTS || !unpack_u64(&m, &parent) ||
        !unpack_u64(&m, &container) || !unpack_u64(&m, &earlier))
        return MESSAGE_MALFORMED;
    writer_bind_row(s, 1, writer_row_of(w->processes, parent));
    writer_bind_row(s, 2, writer_row_of(w->containers, container));
    writer_bind_row(s, 3, writer_row_of(w->processes, earlier));
    r = bind_fields(process_fields, &m, s, 4);
    if (r == 0)
        r = writer_run(w, INSERT_PROCESS);
    return r < 0 ? r : set_slot(w, &w->processes[slot], sqlite3_last_insert_rowid(w->db));
}

int writer_life(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_LIFE];
    uint64_t container, time_ns, kind, exit_code;
    struct bytes previous;

    if (!unpack_u64(&m, &container) || !unpack_u64(&m, &time_ns) || !unpack_u64(&m, &kind) ||
        !unpack_u64(&m, &exit_code) || !unpack_bytes(&m, &previous))
        return MESSAGE_MALFORMED;
    writer_bind_row(s, 1, writer_row_of(w->containers, container));
    sqlite3_bind_int64(s, 2, (sqlite3_int64)time_ns);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)kind);
    sqlite3_bind_int64(s, 4, (sqlite3_int64)exit_code);
    db_bind_bytes(s, 5, previous);
    return writer_run(w, INSERT_LIFE);
}

int writer_gap(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_GAP];
    struct bytes text, path = BYTES_NULL, container = BYTES_NULL;
    uint64_t v[5];

    for (int i = 0; i < 5; i++)
        if (!unpack_u64(&m, &v[i]))
            return MESSAGE_MALFORMED;
    if (v[2] > v[3]) { /* from, to: the clock was set back in between, all that time may be meant */
        uint64_t from = v[3];

        v[3] = v[2];
        v[2] = from;
    }
    for (int i = 0; i < 5; i++)
        sqlite3_bind_int64(s, i + 1, (sqlite3_int64)v[i]);
    if (!unpack_bytes(&m, &text))
        return MESSAGE_MALFORMED;
    if (m.len && (!unpack_bytes(&m, &path) || !unpack_bytes(&m, &container))) /* an earlier culprit's spool has neither */
        return MESSAGE_MALFORMED;
    db_bind_bytes(s, 6, text);
    db_bind_bytes(s, 7, path.len ? path : BYTES_NULL);
    db_bind_bytes(s, 8, container.len ? container : BYTES_NULL);
    return writer_run(w, INSERT_GAP);
}

int writer_imported(struct writer *w, struct bytes m)
{
    sqlite3_stmt *s = w->statements[INSERT_IMPORTED];
    struct bytes b;

    for (int i = 1; i <= 5; i++) {
        uint64_t v;

        if (!unpack_u64(&m, &v))
            return MESSAGE_MALFORMED;
        sqlite3_bind_int64(s, i, (sqlite3_int64)v);
    }
    for (int i = 6; i <= 7; i++) {
        if (!unpack_bytes(&m, &b))
            return MESSAGE_MALFORMED;
        db_bind_bytes(s, i, b);
    }
    return writer_run(w, INSERT_IMPORTED);
}
