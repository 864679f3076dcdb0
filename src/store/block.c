/* SPDX-License-Identifier: MIT */
#include "store/block.h"

#include <errno.h>
#include <stdlib.h>

#include "store/columns.h"
#include "store/frame.h"
#include "util/hash.h"
#include "util/hash_table.h"
#include "util/macro.h"

#define FILTER_MIN 2            /* bytes */
#define FILTER_MAX (16 * 1024)
#define FILTER_BITS_A_NAME 10   /* with as many marks as below one in a hundred is a false alarm */
#define FILTER_MARKS 4

struct block_place {
    int64_t directory;
    uint64_t *hashes; /* of names */
    size_t count, size;
    UT_hash_handle hh;
};

struct event_block {
    sqlite3 *db;
    const char *path;
    sqlite3_stmt *insert_block, *insert_place;
    struct sbuf data, filter;
    struct block_place *places;
    int64_t row, count, last_row;
    bool sparse;
    struct block_rows last;
    uint64_t first_ns, last_ns;
};

int block_new(sqlite3 *db, const char *path, struct event_block **ret, struct err *err)
{
    struct event_block *b = calloc(1, sizeof(*b));
    int r;

    if (!b)
        return err_set(err, -ENOMEM, "the store");
    b->db = db;
    b->path = path;
    r = db_prepare(db, path, "INSERT INTO block (row, count, first_ns, last_ns, data) VALUES (?, ?, ?, ?, ?)",
                   &b->insert_block, err);
    if (r == 0)
        r = db_prepare(db, path, "INSERT INTO block_place (directory, block, names) VALUES (?, ?, ?)",
                       &b->insert_place, err);
    if (r < 0) {
        block_free(b);
        return r;
    }
    *ret = b;
    return 0;
}

void block_clear(struct event_block *b)
{
    struct block_place *p, *next;

    HASH_ITER(hh, b->places, p, next) {
        HASH_DEL(b->places, p);
        free(p->hashes);
        free(p);
    }
    sbuf_clear(&b->data);
    b->count = 0;
    b->sparse = false;
}

void block_set_sparse(struct event_block *b)
{
    b->sparse = true;
}

void block_free(struct event_block *b)
{
    if (!b)
        return;
    block_clear(b);
    sbuf_done(&b->data);
    sbuf_done(&b->filter);
    sqlite3_finalize(b->insert_block);
    sqlite3_finalize(b->insert_place);
    free(b);
}

int block_add(struct event_block *b, int64_t row, uint64_t time_ns, const struct block_rows *rows, struct bytes packed)
{
    unsigned differ = 0;

    if (!b->count) {
        b->row = row;
        b->first_ns = b->last_ns = time_ns;
        b->last = (struct block_rows){ 0 };
        b->last_row = row;
    }
    if (b->sparse)
        pack_u64(&b->data, (uint64_t)(row - b->last_row));
    b->last_row = row;
    b->count++;
    b->first_ns = MIN(b->first_ns, time_ns);
    b->last_ns = MAX(b->last_ns, time_ns);
    for (unsigned i = 0; i < BLOCK_ROWS; i++)
        differ |= (unsigned)(rows->row[i] != b->last.row[i]) << i;
    sbuf_add_char(&b->data, (char)differ);
    for (unsigned left = differ; left; left &= left - 1)
        pack_u64(&b->data, (uint64_t)rows->row[__builtin_ctz(left)]);
    b->last = *rows;
    sbuf_add_bytes(&b->data, packed);
    return sbuf_error(&b->data);
}

static struct block_place *place_of(struct event_block *b, int64_t directory)
{
    struct block_place *p;

    HASH_FIND(hh, b->places, &directory, sizeof(directory), p);
    if (p || !(p = calloc(1, sizeof(*p))))
        return p;
    p->directory = directory;
    HASH_ADD(hh, b->places, directory, sizeof(p->directory), p);
    HASH_FREE_IF_OUT(hh, p);
    return p;
}

static uint64_t hash_of(struct bytes name)
{
    return hash_add(HASH_START, name.data, name.len);
}

int block_add_name(struct event_block *b, int64_t directory, struct bytes name)
{
    struct block_place *p = place_of(b, directory);

    if (!p)
        return -ENOMEM;
    if (p->count == p->size) {
        size_t size = p->size ? 2 * p->size : 8;
        uint64_t *hashes = realloc(p->hashes, size * sizeof(*hashes));

        if (!hashes)
            return -ENOMEM;
        p->hashes = hashes;
        p->size = size;
    }
    p->hashes[p->count++] = hash_of(name);
    return 0;
}

/* ---- the filter: one bit of all for each mark of a name ---- */

static size_t mark(uint64_t hash, unsigned i, size_t bits)
{
    return (size_t)(hash + i * (hash >> 32 | 1)) & (bits - 1);
}

static int by_hash(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Each name once: a file that is made, written and renamed came with each of its names again. */
static void leave_out_twice(struct block_place *p)
{
    size_t n = 0;

    qsort(p->hashes, p->count, sizeof(*p->hashes), by_hash);
    for (size_t i = 0; i < p->count; i++)
        if (!n || p->hashes[i] != p->hashes[n - 1])
            p->hashes[n++] = p->hashes[i];
    p->count = n;
}

static struct bytes make_filter(struct event_block *b, struct block_place *p)
{
    size_t size = FILTER_MIN;
    char *filter;

    leave_out_twice(p);
    while (size < FILTER_MAX && size * 8 < p->count * FILTER_BITS_A_NAME)
        size *= 2;
    sbuf_clear(&b->filter);
    filter = sbuf_room(&b->filter, size);
    if (!filter)
        return BYTES_NULL;
    memset(filter, 0, size);
    for (size_t i = 0; i < p->count; i++)
        for (unsigned m = 0; m < FILTER_MARKS; m++) {
            size_t bit = mark(p->hashes[i], m, size * 8);

            filter[bit / 8] = (char)((unsigned char)filter[bit / 8] | 1u << bit % 8);
        }
    return (struct bytes){ filter, size };
}

bool block_may_have(struct bytes names, struct bytes name)
{
    uint64_t hash = hash_of(name);

    if (!names.len || (names.len & (names.len - 1))) /* not one of ours: it has to be looked at */
        return true;
    for (unsigned m = 0; m < FILTER_MARKS; m++) {
        size_t bit = mark(hash, m, names.len * 8);

        if (!((unsigned char)names.data[bit / 8] >> bit % 8 & 1))
            return false;
    }
    return true;
}

/* ---- compressed ---- */

/* By columns. -EFBIG: nobody would read it. */
static int compress(struct bytes data, unsigned flags, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf columns = SBUF_INIT;
    int r;

    sbuf_add_char(&columns, BLOCK_MEMBERS_MARK);
    r = columns_split(data, flags & BLOCK_SPARSE, true, &columns);
    if (r == 0 && columns.len > BLOCK_PLAIN_MAX)
        r = -EFBIG;
    if (r < 0)
        return r;
    sbuf_clear(out);
    sbuf_add_char(out, (char)(BLOCK_COMPRESSED | BLOCK_BY_COLUMNS | BLOCK_ID_STEPS | BLOCK_MEMBERS | flags));
    pack_u64(out, columns.len);
    r = frame_add(sbuf_bytes(&columns), out);
    return r < 0 ? r : sbuf_error(out);
}

int block_compress(struct bytes data, struct sbuf *out)
{
    int r;

    if (!data.len || ((unsigned char)data.data[0] & BLOCK_COMPRESSED))
        return 0;
    r = compress(data, 0, out);
    if (r == -EBADMSG || r == -EFBIG) /* who reads a damaged one says so; the others are not to wait for it */
        return 0;
    return r < 0 ? r : out->len < data.len;
}

/* ---- the row ---- */

int block_write(struct event_block *b, struct err *err)
{
    _cleanup_sbuf_ struct sbuf compressed = SBUF_INIT;
    struct block_place *p;
    int r = 0;

    if (!b->count)
        return 0;
    if (b->sparse)
        r = compress(sbuf_bytes(&b->data), BLOCK_SPARSE, &compressed);
    if (r < 0)
        return err_set(err, r, "the store");
    sqlite3_bind_int64(b->insert_block, 1, b->row);
    sqlite3_bind_int64(b->insert_block, 2, b->count);
    sqlite3_bind_int64(b->insert_block, 3, (sqlite3_int64)b->first_ns);
    sqlite3_bind_int64(b->insert_block, 4, (sqlite3_int64)b->last_ns);
    db_bind_bytes(b->insert_block, 5, sbuf_bytes(b->sparse ? &compressed : &b->data));
    r = db_run(b->db, b->path, b->insert_block, err);
    for (p = b->places; p && r == 0; p = (struct block_place *)p->hh.next) {
        struct bytes filter = make_filter(b, p);

        if (!filter.data)
            return err_set(err, -ENOMEM, "the store");
        sqlite3_bind_int64(b->insert_place, 1, p->directory);
        sqlite3_bind_int64(b->insert_place, 2, b->row);
        db_bind_bytes(b->insert_place, 3, filter);
        r = db_run(b->db, b->path, b->insert_place, err);
    }
    block_clear(b);
    return r;
}
