/* SPDX-License-Identifier: MIT */
/*
 * The first byte says what follows: bit 0, each event has its row's distance; bit 1, events one after the other as a storm writes them,
 * else by columns, as they are in a compressed block. Of what can be put into columns the events must read as before. Bit 2: what was
 * counted on a day; what it says must be the same when it is packed again.
 */
#include "store/columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "fuzz.h"
#include "store/daily.h"

struct taken {
    uint64_t hole;
    struct block_rows rows;
    struct delta_values values;
};

static void use(const struct taken *t)
{
    struct event *e = event_new();

    if (!e)
        abort();
    delta_read(&t->values, e);
    event_free(e);
}

/* As block_reader.c reads a block that is not compressed. */
static bool take_plain(struct bytes *data, bool sparse, struct taken *t)
{
    unsigned differ;
    uint64_t row, mask;

    t->hole = 0;
    if ((sparse && !unpack_u64(data, &t->hole)) || !data->len)
        return false;
    differ = (unsigned char)data->data[0];
    *data = (struct bytes){ data->data + 1, data->len - 1 };
    if (differ >> BLOCK_ROWS)
        return false;
    for (unsigned i = 0; i < BLOCK_ROWS; i++) {
        if (!(differ >> i & 1))
            continue;
        if (!unpack_u64(data, &row))
            return false;
        t->rows.row[i] = (int64_t)row;
    }
    return delta_unpack(data, &t->values, &mask) == 0;
}

static bool take_columns(struct block_columns *c, bool sparse, struct taken *t)
{
    return columns_next(c, sparse, &t->hole, &t->rows) && columns_join(c, &t->values, true) == 0;
}

static void compare(const struct taken *a, const struct taken *b)
{
    if (a->hole != b->hole || memcmp(&a->rows, &b->rows, sizeof(a->rows)) != 0 ||
        memcmp(a->values.numbers, b->values.numbers, sizeof(a->values.numbers)) != 0 ||
        memcmp(a->values.states, b->values.states, sizeof(a->values.states)) != 0)
        abort();
    for (unsigned i = 0; i < DELTA_FIELDS; i++)
        if (bytes_known(a->values.bytes[i]) != bytes_known(b->values.bytes[i]) ||
            !bytes_equal(a->values.bytes[i], b->values.bytes[i]))
            abort();
}

static void split(struct bytes data, bool sparse, bool members)
{
    _cleanup_sbuf_ struct sbuf plain = SBUF_INIT;
    struct taken *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
    struct block_columns columns;
    int r = columns_split(data, sparse, members, &plain);
    bool fine = true;

    if (!before || !after || (r < 0 && r != -EBADMSG) || (r == 0 && columns_open(sbuf_bytes(&plain), members, &columns) < 0))
        abort();
    while (data.len && (fine = take_plain(&data, sparse, before))) {
        if (r < 0)
            continue;
        if (!take_columns(&columns, sparse, after))
            abort();
        compare(before, after);
        use(after);
    }
    if ((r == 0) != fine || (r == 0 && !columns_are_at_end(&columns)))
        abort();
    free(before);
    free(after);
}

static void join(struct bytes plain, bool sparse, bool members)
{
    struct taken *t = calloc(1, sizeof(*t));
    struct block_columns columns;

    if (!t)
        abort();
    if (columns_open(plain, members, &columns) == 0)
        while (take_columns(&columns, sparse, t))
            use(t);
    free(t);
}

static void count(struct bytes data)
{
    struct daily d = daily_before(1), before = d, again = d, last = d;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct bytes packed;
    int r;

    while ((r = daily_next(&data, &d)) == 1) {
        sbuf_clear(&out);
        before = last;
        daily_pack(&d, &before, &out);
        packed = sbuf_bytes(&out);
        again = last;
        if (daily_next(&packed, &again) != 1 || packed.len || memcmp(&again, &d, sizeof(d)) != 0)
            abort();
        last = d;
    }
    if (r != 0 && r != -EBADMSG)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = { (const char *)data + 1, size - 1 };

    if (!size)
        return 0;
    if (data[0] & 4)
        count(rest);
    else if (data[0] & 2)
        split(rest, data[0] & 1, data[0] & 8);
    else
        join(rest, data[0] & 1, data[0] & 8);
    return 0;
}
