/* SPDX-License-Identifier: MIT */
#include "store/columns.h"

#include <errno.h>
#include <stdlib.h>

#include "store/fields.h"
#include "util/fold.h"

struct splitting {
    struct sbuf columns[BLOCK_COLUMNS];
    struct delta_values values;
    struct block_rows rows;
    bool members;
};

#define PATH_ROW (BLOCK_DIRECTORIES + PLACE_PATH)
#define PREVIOUS_ROW (BLOCK_DIRECTORIES + PLACE_PREVIOUS)
enum { NO_ROW, PATHS_ROW, ANOTHER_ROW }; /* of a previous path's directory */
_Static_assert(PATH_ROW < PREVIOUS_ROW, "the path's is not known yet");

static void release(struct splitting *s)
{
    for (unsigned i = 0; i < BLOCK_COLUMNS; i++)
        sbuf_done(&s->columns[i]);
    free(s);
}

static void split_row(struct splitting *s, unsigned i, int64_t before)
{
    struct sbuf *out = &s->columns[COLUMN_ROWS + i];
    const int64_t row = s->rows.row[i];
    int what = !row ? NO_ROW : row == s->rows.row[PATH_ROW] ? PATHS_ROW : ANOTHER_ROW;

    if (s->members && i == PREVIOUS_ROW) {
        sbuf_add_char(out, (char)what);
        if (what != ANOTHER_ROW)
            return;
    }
    pack_u64(out, fold((uint64_t)row - (uint64_t)before));
}

static int split_event(struct splitting *s, struct bytes *data, bool sparse)
{
    const struct block_rows before = s->rows;
    unsigned differ;
    uint64_t hole;

    if (sparse) {
        if (!unpack_u64(data, &hole))
            return -EBADMSG;
        pack_u64(&s->columns[COLUMN_HOLE], hole);
    }
    if (!block_rows_take(data, &s->rows, &differ))
        return -EBADMSG;
    sbuf_add_char(&s->columns[COLUMN_DIFFER], (char)differ);
    for (unsigned left = differ; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);

        split_row(s, i, before.row[i]);
    }
    return delta_split(data, &s->values, s->columns, s->members ? s->columns + COLUMN_MEMBERS : NULL);
}

static unsigned count_of(bool members)
{
    return members ? BLOCK_COLUMNS : COLUMN_MEMBERS;
}

int columns_split(struct bytes data, bool sparse, bool members, struct sbuf *out)
{
    struct splitting *s = calloc(1, sizeof(*s));
    int r = s ? 0 : -ENOMEM;

    if (s)
        s->members = members;
    while (r == 0 && data.len)
        r = split_event(s, &data, sparse);
    for (unsigned i = 0; r == 0 && i < count_of(members); i++) {
        r = sbuf_error(&s->columns[i]);
        pack_u64(out, s->columns[i].len);
    }
    for (unsigned i = 0; r == 0 && i < count_of(members); i++)
        sbuf_add_bytes(out, sbuf_bytes(&s->columns[i]));
    if (s)
        release(s);
    return r < 0 ? r : sbuf_error(out);
}

int columns_open(struct bytes plain, bool members, struct block_columns *c)
{
    uint64_t lengths[BLOCK_COLUMNS];

    *c = (struct block_columns){ .members = members };
    for (unsigned i = 0; i < count_of(members); i++)
        if (!unpack_u64(&plain, &lengths[i]))
            return -EBADMSG;
    for (unsigned i = 0; i < count_of(members); i++) {
        if (lengths[i] > plain.len)
            return -EBADMSG;
        c->at[i] = (struct bytes){ plain.data, (size_t)lengths[i] };
        plain = (struct bytes){ plain.data + lengths[i], plain.len - (size_t)lengths[i] };
    }
    return plain.len ? -EBADMSG : 0;
}

static bool join_row(struct block_columns *c, unsigned i, struct block_rows *rows)
{
    struct bytes *from = &c->at[COLUMN_ROWS + i];
    int what = ANOTHER_ROW;
    uint64_t d;

    if (c->members && i == PREVIOUS_ROW) {
        if (!from->len)
            return false;
        what = (unsigned char)from->data[0];
        *from = (struct bytes){ from->data + 1, from->len - 1 };
    }
    if (what == NO_ROW || what == PATHS_ROW) {
        rows->row[i] = what == NO_ROW ? 0 : rows->row[PATH_ROW];
        return true;
    }
    if (what != ANOTHER_ROW || !unpack_u64(from, &d))
        return false;
    rows->row[i] = (int64_t)((uint64_t)rows->row[i] + unfold(d));
    return true;
}

bool columns_next(struct block_columns *c, bool sparse, uint64_t *ret_hole, struct block_rows *rows)
{
    struct bytes *differ = &c->at[COLUMN_DIFFER];

    *ret_hole = 0;
    if ((sparse && !unpack_u64(&c->at[COLUMN_HOLE], ret_hole)) || !differ->len)
        return false;
    for (unsigned left = (unsigned char)differ->data[0]; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);

        if (i >= BLOCK_ROWS || !join_row(c, i, rows))
            return false;
    }
    *differ = (struct bytes){ differ->data + 1, differ->len - 1 };
    return true;
}

bool columns_are_at_end(const struct block_columns *c)
{
    size_t left = 0;

    for (unsigned i = 0; i < BLOCK_COLUMNS; i++)
        left |= c->at[i].len;
    return !left;
}
