/* SPDX-License-Identifier: MIT */
#include "store/block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "store/columns.h"

#define COUNT_MAX (1 << 20) /* more than any culprit writes */

struct block_reader {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *rows;  /* at the block's row, as long as it is read */
    int64_t row, count;  /* of the block; count 0: none is open */
    int64_t seen, joined; /* events of it, and those whose values are known */
    bool sparse;         /* each event says which row it is */
    bool by_columns, id_steps;
    bool is_damaged;
    struct bytes rest;
    struct block_columns columns; /* instead of the rest */
    struct sbuf plain;   /* of a compressed one */
    struct block_event event;
};

int block_reader_new(sqlite3 *db, const char *path, struct block_reader **ret, struct err *err)
{
    struct block_reader *b = calloc(1, sizeof(*b));
    int r;

    if (!b)
        return err_set(err, -ENOMEM, "the store");
    b->db = db;
    b->path = path;
    r = db_prepare(db, path, "SELECT row, count, data FROM block WHERE row <= ? ORDER BY row DESC LIMIT 1", &b->rows,
                   err);
    if (r < 0) {
        block_reader_free(b);
        return r;
    }
    *ret = b;
    return 0;
}

void block_reader_free(struct block_reader *b)
{
    if (!b)
        return;
    sqlite3_finalize(b->rows);
    sbuf_done(&b->plain);
    free(b);
}

static int damaged(struct block_reader *b, struct err *err)
{
    b->count = b->seen = b->joined = 0;
    b->is_damaged = true;
    return err_say(err, -EBADMSG, "%s is damaged: the events of block %lld cannot be read", b->path, (long long)b->row);
}

static int decompress(struct block_reader *b, struct err *err)
{
    struct bytes rest = { b->rest.data + 1, b->rest.len - 1 };
    const bool members = b->rest.data[0] & BLOCK_MEMBERS;
    char *room;
    uint64_t n;

    b->sparse = b->rest.data[0] & BLOCK_SPARSE;
    b->by_columns = b->rest.data[0] & BLOCK_BY_COLUMNS;
    b->id_steps = b->rest.data[0] & BLOCK_ID_STEPS;
    if (((unsigned char)b->rest.data[0] & ~BLOCK_FLAGS) || !unpack_u64(&rest, &n) || !n || n > BLOCK_PLAIN_MAX)
        return damaged(b, err);
    sbuf_clear(&b->plain);
    room = sbuf_room(&b->plain, (size_t)n);
    if (!room)
        return err_set(err, -ENOMEM, "the store");
    if (ZSTD_decompress(room, (size_t)n, rest.data, rest.len) != n)
        return damaged(b, err);
    sbuf_added(&b->plain, (size_t)n);
    b->rest = sbuf_bytes(&b->plain);
    if (b->id_steps) {
        if (b->rest.data[0] != (members ? BLOCK_MEMBERS_MARK : BLOCK_ID_STEPS_MARK) || !b->by_columns)
            return damaged(b, err);
        b->rest = (struct bytes){ b->rest.data + 1, b->rest.len - 1 };
    }
    if (members && !b->id_steps)
        return damaged(b, err);
    return b->by_columns && columns_open(b->rest, members, &b->columns) < 0 ? damaged(b, err) : 0;
}

/* The block that holds the row. */
static int open_block(struct block_reader *b, int64_t row, struct err *err)
{
    int code;

    sqlite3_reset(b->rows);
    b->count = b->seen = b->joined = 0;
    b->is_damaged = false;
    sqlite3_bind_int64(b->rows, 1, row);
    code = sqlite3_step(b->rows);
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE ? -ENOENT : db_error(b->db, b->path, err);
    b->row = sqlite3_column_int64(b->rows, 0);
    b->count = sqlite3_column_int64(b->rows, 1);
    b->rest = db_column_bytes(b->rows, 2);
    b->sparse = b->by_columns = b->id_steps = false;
    if (b->count < 0 || b->count > COUNT_MAX || b->row < 0 || b->row > INT64_MAX - 2 * COUNT_MAX)
        return damaged(b, err);
    return b->rest.len && ((unsigned char)b->rest.data[0] & BLOCK_COMPRESSED) ? decompress(b, err) : 0;
}

int block_reader_begin(struct block_reader *b, int64_t block, struct err *err)
{
    int r = open_block(b, block, err);

    return r < 0 ? r : b->row == block ? 0 : -ENOENT;
}

bool block_reader_is_damaged(const struct block_reader *b)
{
    return b->is_damaged;
}

void block_reader_end(struct block_reader *b)
{
    sqlite3_reset(b->rows);
    b->count = b->seen = b->joined = 0;
}

/* The event that comes next: its distance, rows and, but of columns, values. -EBADMSG. */
static int take_event(struct block_reader *b, uint64_t *ret_hole)
{
    struct block_event *e = &b->event;
    unsigned differ;
    uint64_t mask;

    if (b->by_columns) {
        struct bytes masks = b->columns.at[DELTA_COLUMN_MASK];

        return columns_next(&b->columns, b->sparse, ret_hole, &e->rows) && (b->seen || delta_is_alone(masks)) ? 0 : -EBADMSG;
    }
    *ret_hole = 0;
    b->joined++;
    if (b->sparse && !unpack_u64(&b->rest, ret_hole))
        return -EBADMSG;
    if (!block_rows_take(&b->rest, &e->rows, &differ) || (!b->seen && !delta_is_alone(b->rest))) /* its values would be those of another block */
        return -EBADMSG;
    return delta_unpack(&b->rest, &e->values, &mask);
}

/* Or there are more events than it says: what else is wrong then is not known. */
static bool is_at_end(const struct block_reader *b)
{
    return b->by_columns ? columns_are_at_end(&b->columns) : b->rest.len == 0;
}

int block_reader_next_rows(struct block_reader *b, const struct block_event **ret, struct err *err)
{
    struct block_event *e = &b->event;
    uint64_t hole;

    if (b->seen == b->count)
        return b->count && b->joined == b->seen && !is_at_end(b) ? damaged(b, err) : 0;
    if (!b->seen) {
        e->rows = (struct block_rows){ 0 };
        e->row = b->row;
    }
    if (take_event(b, &hole) < 0 || (b->sparse && (hole > COUNT_MAX || e->row - b->row > COUNT_MAX || !hole != !b->seen)))
        return damaged(b, err);
    e->row = b->sparse ? e->row + (int64_t)hole : b->row + b->seen;
    b->seen++;
    *ret = e;
    return 1;
}

int block_reader_values(struct block_reader *b, struct err *err)
{
    for (; b->joined < b->seen; b->joined++)
        if (columns_join(&b->columns, &b->event.values, b->id_steps) < 0)
            return damaged(b, err);
    return 0;
}

int block_reader_next(struct block_reader *b, const struct block_event **ret, struct err *err)
{
    int r = block_reader_next_rows(b, ret, err), known = r == 1 ? block_reader_values(b, err) : 0;

    return known < 0 ? known : r;
}

/* Within the block that is open, from its next event on. */
static int find_here(struct block_reader *b, int64_t row, const struct block_event **ret, struct err *err)
{
    int r;

    do
        r = block_reader_next(b, ret, err);
    while (r == 1 && (*ret)->row < row);
    return r < 0 ? r : r == 1 && (*ret)->row == row ? 0 : -ENOENT;
}

int block_reader_find(struct block_reader *b, int64_t row, const struct block_event **ret, struct err *err)
{
    int r = -ENOENT;

    if (b->count && b->seen && row == b->event.row) {
        *ret = &b->event;
        return 0;
    }
    /* what comes after the last one in the same block need not be read anew */
    if (b->count && row >= b->row && (!b->seen || row > b->event.row) && (b->sparse || row - b->row < b->count))
        r = find_here(b, row, ret, err);
    if (r != -ENOENT)
        return r;
    r = open_block(b, row, err);
    if (r < 0 || row < b->row || (!b->sparse && row - b->row >= b->count))
        return r < 0 ? r : -ENOENT;
    return find_here(b, row, ret, err);
}
