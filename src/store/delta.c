/* SPDX-License-Identifier: MIT */
#include "store/delta.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "store/sqlite.h"

#define ID_LEN sizeof(((struct event *)0)->id)
/* All of an event but its bytes. */
#define BOUNDED (sizeof(uint64_t) + DELTA_FIELDS * (VARINT_MAX + ID_LEN) + DELTA_STATES * STATE_MEMBERS * VARINT_MAX)

enum { STATE_file, STATE_before, STATE_after };

/* ---- packing ---- */

static char *put_difference(char *at, uint64_t before, uint64_t value)
{
    uint64_t d = value - before;

    return put_u64(at, d << 1 ^ (uint64_t)((int64_t)d >> 63));
}

struct packing {
    struct delta_packer *before;
    struct sbuf *out;
    char *at; /* in what out has room for */
    uint64_t mask;
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

static bool add_bytes(struct packing *p, unsigned field, struct bytes b, size_t len)
{
    if (!make_room(p, b.len))
        return false;
    p->mask |= 1ull << field;
    p->at = put_u64(p->at, len);
    p->before->bytes[field].at = (size_t)(p->at - p->out->data);
    p->before->bytes[field].len = len;
    if (len > 1) {
        memcpy(p->at, b.data, b.len);
        p->at += b.len;
    }
    return true;
}

static inline bool put_bytes(struct packing *p, unsigned field, struct bytes b)
{
    size_t len = bytes_known(b) ? b.len + 1 : 0;

    if (len == p->before->bytes[field].len &&
        (len <= 1 || memcmp(p->out->data + p->before->bytes[field].at, b.data, b.len) == 0))
        return true;
    return add_bytes(p, field, b, len);
}

static void add_number(struct packing *p, unsigned field, uint64_t number)
{
    p->mask |= 1ull << field;
    p->at = put_difference(p->at, p->before->numbers[field], number);
    p->before->numbers[field] = number;
}

static inline void put_number(struct packing *p, unsigned field, uint64_t number)
{
    if (number != p->before->numbers[field])
        add_number(p, field, number);
}

static void put_state(struct packing *p, unsigned field, uint64_t before[STATE_MEMBERS], const struct file_state *state)
{
    uint64_t members[STATE_MEMBERS];
    unsigned mask = 0;

    if (!state->known && !before[0] && state->mode == before[1])
        return; /* nothing is known but the type, as before: the other members do not matter */
    state_members(state, members);
    if (!state->known)
        memset(members + 2, 0, sizeof(members) - 2 * sizeof(members[0]));
    for (unsigned i = 0; i < STATE_MEMBERS; i++)
        mask |= (unsigned)(members[i] != before[i]) << i;
    if (!mask)
        return;
    p->mask |= 1ull << field;
    p->at = put_u64(p->at, mask);
    for (; mask; mask &= mask - 1) {
        unsigned i = (unsigned)__builtin_ctz(mask);

        p->at = put_difference(p->at, before[i], members[i]);
        before[i] = members[i];
    }
}

static void put_id(struct packing *p, unsigned field, const uint8_t id[ID_LEN])
{
    p->mask |= 1ull << field;
    memcpy(p->at, id, ID_LEN);
    p->at += ID_LEN;
}

/* A line of code for each field: a loop over a table took as long as all the rest. */
#define PUT_FIELD_BOOL(column, member) put_number(p, DELTA_##column, e->member);
#define PUT_FIELD_I32(column, member) put_number(p, DELTA_##column, (uint64_t)(int64_t)(e->member));
#define PUT_FIELD_U32(column, member) put_number(p, DELTA_##column, e->member);
#define PUT_FIELD_I64(column, member) put_number(p, DELTA_##column, (uint64_t)(e->member));
#define PUT_FIELD_U64(column, member) put_number(p, DELTA_##column, e->member);
#define PUT_FIELD_BYTES(column, member) fine = fine && put_bytes(p, DELTA_##column, e->member);
#define PUT_FIELD_ID(column, member) put_id(p, DELTA_##column, e->member);
#define PUT_FIELD_STATE(column, member) \
    put_state(p, DELTA_##column, p->before->states[STATE_##column], &e->member);
#define PUT(column, member, type) PUT_##type(column, member)

static bool put_event(struct packing *p, const struct event_places *places, const struct event *e)
{
    bool fine = true;

    put_number(p, DELTA_SUSPECT, places->suspect);
    for (unsigned i = 0; i < PLACE_COUNT; i++)
        fine = fine && put_bytes(p, DELTA_DIRECTORY(i), places->at[i].directory) &&
               put_bytes(p, DELTA_NAME(i), places->at[i].name);
    fine = fine && put_bytes(p, DELTA_PREVIOUS_HOST_PATH, places->previous_host_path);
    if (fine) {
        EVENT_FIELDS(PUT)
    }
    return fine;
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
    if (!put_event(&p, places, event))
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

bool delta_event_is_alone(struct bytes message)
{
    uint64_t number; /* the slots of actor and victim, the rest of the suspect's */

    return unpack_u64(&message, &number) && unpack_u64(&message, &number) && unpack_u64(&message, &number) &&
           delta_is_alone(message);
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

static bool take_state(struct bytes *message, uint64_t members[STATE_MEMBERS])
{
    uint64_t mask;

    if (!unpack_u64(message, &mask) || mask >> STATE_MEMBERS)
        return false;
    for (unsigned i = 0; i < STATE_MEMBERS; i++)
        if ((mask >> i & 1) && !take_difference(message, &members[i]))
            return false;
    return true;
}

/* The type of a field; one that this culprit does not know has none. */
static int type_of(unsigned field)
{
    if (field > DELTA_PREVIOUS_HOST_PATH)
        return field < DELTA_FIELDS_NOW ? (int)event_fields[field - DELTA_PREVIOUS_HOST_PATH - 1].type : -1;
    return field == DELTA_SUSPECT ? FIELD_U64 : FIELD_BYTES;
}

static unsigned state_of(unsigned field)
{
    return field == DELTA_file ? STATE_file : field == DELTA_before ? STATE_before : STATE_after;
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
        bool fine;

        switch (type_of(i)) {
        case -1:
            return -EBADMSG;
        case FIELD_BYTES:
            fine = unpack_bytes(message, &values->bytes[i]);
            break;
        case FIELD_ID:
            fine = take_id(message, &values->bytes[i]);
            break;
        case FIELD_STATE:
            fine = take_state(message, values->states[state_of(i)]);
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

#define FIRST (DELTA_PREVIOUS_HOST_PATH + 1) /* of the record's own fields */

void delta_bind(const struct delta_values *values, sqlite3_stmt *statement, int first)
{
    struct file_state state = { 0 };

    for (unsigned i = FIRST; i < DELTA_FIELDS_NOW; i++) {
        int at = first + (int)(i - FIRST);

        switch (type_of(i)) {
        case FIELD_BYTES:
        case FIELD_ID:
            db_bind_bytes(statement, at, values->bytes[i]);
            break;
        case FIELD_STATE:
            state_set(&state, values->states[state_of(i)]);
            fields_bind_state(&state, statement, at);
            break;
        default:
            sqlite3_bind_int64(statement, at, (sqlite3_int64)values->numbers[i]);
        }
    }
}

#define READ_FIELD_BOOL(column, member) e->member = values->numbers[DELTA_##column] != 0;
#define READ_FIELD_I32(column, member) e->member = (__typeof__(e->member))values->numbers[DELTA_##column];
#define READ_FIELD_U32 READ_FIELD_I32
#define READ_FIELD_I64 READ_FIELD_I32
#define READ_FIELD_U64 READ_FIELD_I32
#define READ_FIELD_BYTES(column, member) e->member = arena_copy(&e->arena, values->bytes[DELTA_##column]);
#define READ_FIELD_ID(column, member)                 \
    if (values->bytes[DELTA_##column].len == ID_LEN) \
        memcpy(e->member, values->bytes[DELTA_##column].data, ID_LEN);
#define READ_FIELD_STATE(column, member) state_set(&e->member, values->states[STATE_##column]);
#define READ(column, member, type) READ_##type(column, member)

void delta_read(const struct delta_values *values, struct event *e)
{
    EVENT_FIELDS(READ)
}
