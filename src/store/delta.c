/* SPDX-License-Identifier: MIT */
#include "store/delta.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "event/event.h"
#include "store/sqlite.h"

#define VARINT_MAX 10
#define ID_LEN sizeof(((struct event *)0)->id)
/* All of an event but its bytes. */
#define BOUNDED (sizeof(uint64_t) + DELTA_FIELDS * (VARINT_MAX + ID_LEN) + DELTA_STATES * DELTA_MEMBERS * VARINT_MAX)

/* clang-format off */
#define P(column, member, type) { column, offsetof(struct event_places, member), type }
const struct field place_fields[] = {
    P("suspect", suspect, FIELD_U64),
    P("directory", at[PLACE_PATH].directory, FIELD_BYTES),
    P("name", at[PLACE_PATH].name, FIELD_BYTES),
    P("previous_directory", at[PLACE_PREVIOUS].directory, FIELD_BYTES),
    P("previous_name", at[PLACE_PREVIOUS].name, FIELD_BYTES),
    P("host_directory", at[PLACE_HOST].directory, FIELD_BYTES),
    P("host_name", at[PLACE_HOST].name, FIELD_BYTES),
    P("previous_host_path", previous_host_path, FIELD_BYTES),
    { 0 },
};
#undef P
#define PLACE_FIELDS (ARRAY_SIZE(place_fields) - 1)
/* clang-format on */

static unsigned state_of(const struct field *f)
{
    return f->offset == offsetof(struct event, file) ? 0 : f->offset == offsetof(struct event, before) ? 1 : 2;
}

/* ---- packing ---- */

static char *put_u64(char *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (char)(value | 0x80);
        value >>= 7;
    }
    *at++ = (char)value;
    return at;
}

static char *put_difference(char *at, uint64_t before, uint64_t value)
{
    uint64_t d = value - before;

    return put_u64(at, d << 1 ^ (uint64_t)((int64_t)d >> 63));
}

static uint64_t number_of(const struct field *f, const void *at)
{
    switch (f->type) {
    case FIELD_BOOL:
        return *(const bool *)at;
    case FIELD_I32:
        return (uint64_t)(int64_t) * (const int *)at;
    case FIELD_U32:
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

static void state_members(const struct file_state *s, uint64_t members[DELTA_MEMBERS])
{
    const uint64_t m[DELTA_MEMBERS] = { s->known, s->mode,   s->uid,    s->gid,
                                        s->links, s->flags,  s->size,   s->inode,
                                        s->device, (uint64_t)s->mtime_ns, (uint64_t)s->atime_ns, (uint64_t)s->ctime_ns };

    memcpy(members, m, sizeof(m));
}

static char *put_state(char *at, uint64_t before[DELTA_MEMBERS], const struct file_state *state)
{
    uint64_t members[DELTA_MEMBERS];
    unsigned mask = 0;

    state_members(state, members);
    for (unsigned i = 0; i < DELTA_MEMBERS; i++)
        mask |= (unsigned)(members[i] != before[i]) << i;
    if (!mask)
        return at;
    at = put_u64(at, mask);
    for (unsigned i = 0; i < DELTA_MEMBERS; i++)
        if (mask >> i & 1) {
            at = put_difference(at, before[i], members[i]);
            before[i] = members[i];
        }
    return at;
}

struct packing {
    struct delta_packer *before;
    struct sbuf *out;
    char *at; /* in what out has room for */
    uint64_t mask;
    unsigned index;
};

/* Room for `len` bytes and all of the event that has a bound. */
static bool make_room(struct packing *p, size_t len)
{
    size_t used = p->at ? (size_t)(p->at - p->out->data) - p->out->len : 0;
    char *room;

    if (p->at && p->out->size - p->out->len - used > len + BOUNDED)
        return true;
    room = sbuf_room(p->out, used + len + BOUNDED);
    p->at = room ? room + used : NULL;
    return room != NULL;
}

static bool put_bytes(struct packing *p, struct bytes b)
{
    size_t len = bytes_known(b) ? b.len + 1 : 0;
    __typeof__(p->before->bytes[0]) *before = &p->before->bytes[p->index];

    if (len == before->len && (len <= 1 || memcmp(p->out->data + before->at, b.data, b.len) == 0))
        return true;
    if (!make_room(p, b.len))
        return false;
    p->mask |= 1ull << p->index;
    p->at = put_u64(p->at, len);
    before->at = (size_t)(p->at - p->out->data);
    before->len = len;
    if (len > 1) {
        memcpy(p->at, b.data, b.len);
        p->at += b.len;
    }
    return true;
}

static bool put_fields(struct packing *p, const struct field *fields, const void *record)
{
    for (const struct field *f = fields; f->column; f++, p->index++) {
        const void *field = (const char *)record + f->offset;
        char *before = p->at;
        uint64_t number;

        switch (f->type) {
        case FIELD_BYTES:
            if (!put_bytes(p, *(const struct bytes *)field))
                return false;
            continue;
        case FIELD_ID:
            memcpy(p->at, field, ID_LEN);
            p->at += ID_LEN;
            break;
        case FIELD_STATE:
            p->at = put_state(p->at, p->before->states[state_of(f)], field);
            break;
        default:
            number = number_of(f, field);
            if (number == p->before->numbers[p->index])
                continue;
            p->at = put_difference(p->at, p->before->numbers[p->index], number);
            p->before->numbers[p->index] = number;
        }
        if (p->at != before)
            p->mask |= 1ull << p->index;
    }
    return true;
}

void delta_pack(struct delta_packer *packer, const struct event_places *places, const struct event *event,
                struct sbuf *out)
{
    struct packing p = { .before = packer, .out = out };
    uint64_t mask;

    if (!make_room(&p, 0))
        return;
    if (packer->alone) {
        memset(packer, 0, sizeof(*packer));
        p.mask = DELTA_ALONE;
    }
    p.at += sizeof(mask);
    if (!put_fields(&p, place_fields, places) || !put_fields(&p, event_fields, event))
        return;
    mask = htole64(p.mask);
    memcpy(out->data + out->len, &mask, sizeof(mask));
    sbuf_added(out, (size_t)(p.at - out->data) - out->len);
}

/* ---- unpacking ---- */

bool delta_is_alone(struct bytes message)
{
    return message.len >= sizeof(uint64_t) && (message.data[sizeof(uint64_t) - 1] & 0x80);
}

static bool take_difference(struct bytes *message, uint64_t *value)
{
    uint64_t d;

    if (!unpack_u64(message, &d))
        return false;
    *value += d >> 1 ^ -(d & 1);
    return true;
}

static bool take_id(struct bytes *message, struct bytes *ret)
{
    if (message->len < ID_LEN)
        return false;
    *ret = (struct bytes){ message->data, ID_LEN };
    *message = (struct bytes){ message->data + ID_LEN, message->len - ID_LEN };
    return true;
}

static bool take_state(struct bytes *message, uint64_t members[DELTA_MEMBERS])
{
    uint64_t mask;

    if (!unpack_u64(message, &mask) || mask >> DELTA_MEMBERS)
        return false;
    for (unsigned i = 0; i < DELTA_MEMBERS; i++)
        if ((mask >> i & 1) && !take_difference(message, &members[i]))
            return false;
    return true;
}

static const struct field *field_of(unsigned index)
{
    return index < PLACE_FIELDS                       ? &place_fields[index]
           : index - PLACE_FIELDS < event_field_count ? &event_fields[index - PLACE_FIELDS]
                                                      : NULL;
}

int delta_unpack(struct bytes *message, struct delta_values *values, uint64_t *ret_mask)
{
    uint64_t mask, left;

    if (message->len < sizeof(mask))
        return -EBADMSG;
    memcpy(&mask, message->data, sizeof(mask));
    mask = le64toh(mask);
    *message = (struct bytes){ message->data + sizeof(mask), message->len - sizeof(mask) };
    if (mask & DELTA_ALONE)
        memset(values, 0, sizeof(*values));
    for (left = mask & ~DELTA_ALONE; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct field *f = field_of(i);
        bool fine;

        if (!f)
            return -EBADMSG;
        switch (f->type) {
        case FIELD_BYTES:
            fine = unpack_bytes(message, &values->bytes[i]);
            break;
        case FIELD_ID:
            fine = take_id(message, &values->bytes[i]);
            break;
        case FIELD_STATE:
            fine = take_state(message, values->states[state_of(f)]);
            break;
        default:
            fine = take_difference(message, &values->numbers[i]);
        }
        if (!fine)
            return -EBADMSG;
    }
    *ret_mask = mask;
    return 0;
}

unsigned delta_field(size_t offset)
{
    for (unsigned i = 0; event_fields[i].column; i++)
        if (event_fields[i].offset == offset)
            return PLACE_FIELDS + i;
    return DELTA_FIELDS;
}

static void read_state(const uint64_t m[DELTA_MEMBERS], struct file_state *s)
{
    s->known = (unsigned)m[0];
    s->mode = (uint32_t)m[1];
    s->uid = (uint32_t)m[2];
    s->gid = (uint32_t)m[3];
    s->links = (uint32_t)m[4];
    s->flags = (uint32_t)m[5];
    s->size = m[6];
    s->inode = m[7];
    s->device = m[8];
    s->mtime_ns = (int64_t)m[9];
    s->atime_ns = (int64_t)m[10];
    s->ctime_ns = (int64_t)m[11];
}

void delta_bind(const struct delta_values *values, sqlite3_stmt *statement, int first)
{
    struct file_state state = { 0 };

    for (unsigned i = PLACE_FIELDS; i < PLACE_FIELDS + event_field_count; i++) {
        const struct field *f = field_of(i);
        int at = first + (int)(i - PLACE_FIELDS);

        switch (f->type) {
        case FIELD_BYTES:
        case FIELD_ID:
            db_bind_bytes(statement, at, values->bytes[i]);
            break;
        case FIELD_STATE:
            read_state(values->states[state_of(f)], &state);
            fields_bind_state(&state, statement, at);
            break;
        default:
            sqlite3_bind_int64(statement, at, (sqlite3_int64)values->numbers[i]);
        }
    }
}

void delta_read(const struct delta_values *values, struct event *event)
{
    for (unsigned i = PLACE_FIELDS; i < PLACE_FIELDS + event_field_count; i++) {
        const struct field *f = field_of(i);
        void *at = (char *)event + f->offset;

        switch (f->type) {
        case FIELD_BOOL:
            *(bool *)at = values->numbers[i] != 0;
            break;
        case FIELD_I32:
            *(int *)at = (int)values->numbers[i];
            break;
        case FIELD_U32:
            *(uint32_t *)at = (uint32_t)values->numbers[i];
            break;
        case FIELD_I64:
        case FIELD_U64:
            *(uint64_t *)at = values->numbers[i];
            break;
        case FIELD_BYTES:
            *(struct bytes *)at = arena_copy(&event->arena, values->bytes[i]);
            break;
        case FIELD_ID:
            if (values->bytes[i].len == ID_LEN)
                memcpy(at, values->bytes[i].data, ID_LEN);
            break;
        case FIELD_STATE:
            read_state(values->states[state_of(f)], at);
            break;
        }
    }
}
