/* SPDX-License-Identifier: MIT */
#include "store/process_pack.h"

#include <errno.h>
#include <string.h>

#include "event/process.h"
#include "store/fields.h"
#include "store/frame.h"
#include "util/fold.h"
#include "util/macro.h"

#define PLAIN_MAX (64 << 20) /* bytes of one pack */

enum { DISTANCE = PROCESS_FIELDS_MAX, DIFFER }; /* columns behind those of the fields */

static bool is_bytes(unsigned field)
{
    return field >= PROCESS_OWN && process_fields[field - PROCESS_OWN].type == FIELD_BYTES;
}

static unsigned field_count(void)
{
    return PROCESS_OWN + fields_count(process_fields);
}

/* ---- packing ---- */

static bool differs(const struct process_packing *p, const struct process_values *v, unsigned field)
{
    if (!is_bytes(field))
        return v->numbers[field] != p->before.numbers[field];
    return bytes_known(v->bytes[field]) != bytes_known(p->before.bytes[field]) || !bytes_equal(v->bytes[field], p->before.bytes[field]);
}

int process_pack_add(struct process_packing *p, const struct process_values *v)
{
    const unsigned fields = field_count();
    uint64_t mask = 0;
    int r = 0;

    for (unsigned i = 0; i < fields; i++) {
        if (!differs(p, v, i))
            continue;
        mask |= 1ull << i;
        if (is_bytes(i)) {
            pack_bytes(&p->columns[i], v->bytes[i]);
            p->before.bytes[i] = arena_copy(&p->arena, v->bytes[i]);
            if (v->bytes[i].len && !p->before.bytes[i].len)
                r = -ENOMEM;
        } else {
            pack_u64(&p->columns[i], fold(v->numbers[i] - p->before.numbers[i]));
            p->before.numbers[i] = v->numbers[i];
        }
    }
    pack_u64(&p->columns[DISTANCE], p->count ? (uint64_t)(v->row - p->before.row) : 0);
    pack_u64(&p->columns[DIFFER], mask);
    p->before.row = v->row;
    p->count++;
    return r;
}

int process_pack_write(struct process_packing *p, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf plain = SBUF_INIT;
    int r = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(p->columns); i++) {
        r = r < 0 ? r : sbuf_error(&p->columns[i]);
        pack_u64(&plain, p->columns[i].len);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(p->columns); i++)
        sbuf_add_bytes(&plain, sbuf_bytes(&p->columns[i]));
    r = r < 0 ? r : sbuf_error(&plain);
    if (r < 0)
        return r;
    pack_u64(out, field_count());
    pack_u64(out, plain.len);
    r = frame_add(sbuf_bytes(&plain), out);
    return r < 0 ? r : sbuf_error(out);
}

void process_packing_done(struct process_packing *p)
{
    for (unsigned i = 0; i < ARRAY_SIZE(p->columns); i++)
        sbuf_done(&p->columns[i]);
    arena_done(&p->arena);
    *p = (struct process_packing){ 0 };
}

/* ---- unpacking ---- */

int process_unpack(struct process_unpacking *u, int64_t row, struct bytes data)
{
    uint64_t lengths[PROCESS_FIELDS_MAX + 2], fields, size;
    struct bytes rest;
    int r;

    u->row = row;
    sbuf_clear(&u->plain);
    if (row < 0 || row > INT64_MAX - 2 * PROCESS_PACK_SPAN || !unpack_u64(&data, &fields) || fields > field_count() || !unpack_u64(&data, &size) || size > PLAIN_MAX)
        return -EBADMSG;
    r = frame_take(data, (size_t)size, &u->plain);
    if (r < 0)
        return r;
    u->fields = (unsigned)fields;
    rest = sbuf_bytes(&u->plain);
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++)
        if (!unpack_u64(&rest, &lengths[i]))
            return -EBADMSG;
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        if (lengths[i] > rest.len)
            return -EBADMSG;
        u->begin[i] = (struct bytes){ rest.data, (size_t)lengths[i] };
        rest = (struct bytes){ rest.data + lengths[i], rest.len - (size_t)lengths[i] };
    }
    process_unpack_again(u);
    return rest.len ? -EBADMSG : 0;
}

void process_unpack_again(struct process_unpacking *u)
{
    memcpy(u->at, u->begin, sizeof(u->at));
    u->now = (struct process_values){ .row = u->row };
}

int process_unpack_next(struct process_unpacking *u)
{
    uint64_t distance, mask, d;

    if (!u->at[DIFFER].len)
        return u->at[DISTANCE].len ? -EBADMSG : 0;
    if (!unpack_u64(&u->at[DISTANCE], &distance) || !unpack_u64(&u->at[DIFFER], &mask) || distance > PROCESS_PACK_SPAN || mask >> u->fields)
        return -EBADMSG;
    u->now.row += (int64_t)distance;
    for (; mask; mask &= mask - 1) {
        unsigned i = (unsigned)__builtin_ctzll(mask);

        if (is_bytes(i)) {
            if (!unpack_bytes(&u->at[i], &u->now.bytes[i]))
                return -EBADMSG;
        } else {
            if (!unpack_u64(&u->at[i], &d))
                return -EBADMSG;
            u->now.numbers[i] += unfold(d);
        }
    }
    return 1;
}

void process_unpacking_done(struct process_unpacking *u)
{
    sbuf_done(&u->plain);
}

int process_values_read(const struct process_values *v, struct process *to)
{
    return fields_set(process_fields, v->numbers + PROCESS_OWN, v->bytes + PROCESS_OWN, &to->arena, to);
}
