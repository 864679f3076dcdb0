/* SPDX-License-Identifier: MIT */
#include "store/daily.h"

#include <errno.h>

#include "store/fields.h"
#include "util/fold.h"
#include "util/hash.h"

enum { PLACE, OTHER, SUSPECT, OPERATION, FAILURE, VICTIM, WATCH, COUNT }; /* bits of what differs */

struct daily daily_before(uint64_t day)
{
    return (struct daily){ .first_ns = day * DAILY_NS };
}

static void pack_signed(struct sbuf *out, int64_t value)
{
    pack_u64(out, fold((uint64_t)value));
}

static unsigned differs(const struct daily *d, const struct daily *before)
{
    return (unsigned)(d->place != before->place) << PLACE | (unsigned)(d->other != before->other) << OTHER |
           (unsigned)(d->suspect != before->suspect) << SUSPECT | (unsigned)(d->operation != before->operation) << OPERATION |
           (unsigned)(d->error != before->error) << FAILURE |
           (unsigned)(d->victim != before->victim || d->victim_kind != before->victim_kind) << VICTIM |
           (unsigned)(d->watch != before->watch) << WATCH | (unsigned)(d->count != 1 || d->last_ns != d->first_ns) << COUNT;
}

void daily_pack(const struct daily *d, struct daily *before, struct sbuf *out)
{
    unsigned mask = differs(d, before);
    const int64_t values[] = { d->place, d->other, d->suspect, d->operation, d->error, d->victim };

    sbuf_add_char(out, (char)mask);
    for (unsigned i = PLACE; i <= VICTIM; i++)
        if (mask >> i & 1)
            pack_signed(out, values[i]);
    if (mask >> VICTIM & 1)
        pack_signed(out, d->victim_kind);
    if (mask >> WATCH & 1)
        pack_signed(out, d->watch);
    if (mask >> COUNT & 1) {
        pack_u64(out, d->count);
        pack_u64(out, d->last_ns - d->first_ns);
    }
    pack_u64(out, d->first_ns - before->first_ns);
    pack_signed(out, (int64_t)((uint64_t)d->first_event - (uint64_t)before->first_event));
    *before = *d;
}

static bool take_signed(struct bytes *data, int64_t *ret)
{
    uint64_t v;

    if (!unpack_u64(data, &v))
        return false;
    *ret = (int64_t)unfold(v);
    return true;
}

int daily_next(struct bytes *data, struct daily *d)
{
    int64_t *const values[] = { &d->place, &d->other, &d->suspect, &d->operation, &d->error, &d->victim };
    uint64_t passed, lasted = 0;
    int64_t events;
    unsigned mask;

    if (!data->len)
        return 0;
    mask = (unsigned char)data->data[0];
    *data = (struct bytes){ data->data + 1, data->len - 1 };
    for (unsigned i = PLACE; i <= VICTIM; i++)
        if ((mask >> i & 1) && !take_signed(data, values[i]))
            return -EBADMSG;
    if ((mask >> VICTIM & 1) && !take_signed(data, &d->victim_kind))
        return -EBADMSG;
    if ((mask >> WATCH & 1) && !take_signed(data, &d->watch))
        return -EBADMSG;
    d->count = 1;
    if ((mask >> COUNT & 1) && (!unpack_u64(data, &d->count) || !unpack_u64(data, &lasted)))
        return -EBADMSG;
    if (!unpack_u64(data, &passed) || !take_signed(data, &events) || d->place < 0 || d->place > 2 || d->suspect < 0)
        return -EBADMSG;
    d->first_ns += passed;
    d->last_ns = d->first_ns + lasted;
    d->first_event = (int64_t)((uint64_t)d->first_event + (uint64_t)events);
    return 1;
}

static int64_t long_sum(const int64_t key[3], struct bytes data)
{
    uint64_t sum = HASH_START;

    for (unsigned i = 0; i < 3; i++)
        sum = hash_word(sum, (uint64_t)key[i]);
    return (int64_t)hash_add(sum, data.data, data.len);
}

int64_t daily_sum(const int64_t key[3], struct bytes data)
{
    const uint64_t sum = (uint64_t)long_sum(key, data);

    return (int32_t)(sum ^ sum >> 32);
}

bool daily_is_whole(sqlite3_stmt *row, int column, const int64_t key[3], struct bytes data)
{
    const int64_t sum = sqlite3_column_int64(row, column);

    return sqlite3_column_type(row, column) == SQLITE_NULL || sum == daily_sum(key, data) || sum == long_sum(key, data);
}

unsigned daily_depth(struct bytes path)
{
    unsigned depth = 0;

    if (!path.len || path.data[0] != '/')
        return DAILY_DEPTH + 1;
    if (path.len == 1)
        return 0;
    for (size_t i = 0; i < path.len && depth <= DAILY_DEPTH; i++)
        depth += path.data[i] == '/';
    return depth;
}

struct bytes daily_above(struct bytes path, unsigned depth)
{
    unsigned slashes = 0;

    if (depth == 0)
        return (struct bytes){ path.data, 1 };
    for (size_t i = 0; i < path.len; i++) {
        slashes += path.data[i] == '/';
        if (slashes > depth)
            return (struct bytes){ path.data, i };
    }
    return path;
}
