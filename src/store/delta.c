/* SPDX-License-Identifier: MIT */
#include "store/delta.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "store/sqlite.h"
#include "util/fold.h"

#define ID_LEN sizeof(((struct event *)0)->id)
/* All of an event but its bytes. */
#define BOUNDED (sizeof(uint64_t) + DELTA_FIELDS * (VARINT_MAX + ID_LEN) + DELTA_STATES * STATE_MEMBERS * VARINT_MAX)

enum { STATE_file, STATE_before, STATE_after };

/* ---- packing ---- */

static char *put_difference(char *at, uint64_t before, uint64_t value)
{
    return put_u64(at, fold(value - before));
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
    *value += unfold(d);
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

static bool take_field(unsigned field, struct bytes *from, struct delta_values *values)
{
    switch (type_of(field)) {
    case -1:
        return false;
    case FIELD_BYTES:
        return unpack_bytes(from, &values->bytes[field]);
    case FIELD_ID:
        return take_id(from, &values->bytes[field]);
    case FIELD_STATE:
        return take_state(from, values->states[state_of(field)]);
    default:
        return take_difference(from, &values->numbers[field]);
    }
}

static bool take_mask(struct bytes *from, struct delta_values *values, uint64_t *ret)
{
    uint64_t mask;

    if (from->len < sizeof(mask))
        return false;
    memcpy(&mask, from->data, sizeof(mask));
    *from = (struct bytes){ from->data + sizeof(mask), from->len - sizeof(mask) };
    mask = le64toh(mask);
    if (mask & DELTA_ALONE)
        memset(values, 0, sizeof(*values));
    *ret = mask;
    return true;
}

int delta_unpack(struct bytes *message, struct delta_values *values, uint64_t *ret_mask)
{
    if (!take_mask(message, values, ret_mask))
        return -EBADMSG;
    for (uint64_t left = *ret_mask & ~DELTA_ALONE; left; left &= left - 1)
        if (!take_field((unsigned)__builtin_ctzll(left), message, values))
            return -EBADMSG;
    return 0;
}

/* ---- fields of one kind beside each other ---- */

#define STEP_INVERSE 0xf1de83e19937733dull
_Static_assert(EVENT_ID_STEP * STEP_INVERSE == 1, "steps cannot be counted");

/* The second half of an id, from that of the one before, and back. */
static uint64_t steps_of(const char before[], uint64_t hash)
{
    uint64_t word;

    memcpy(&word, before + sizeof(word), sizeof(word));
    return (hash - be64toh(word)) * STEP_INVERSE - 1;
}

static uint64_t hash_of(const char before[], uint64_t steps)
{
    uint64_t word;

    memcpy(&word, before + sizeof(word), sizeof(word));
    return be64toh(word) + (steps + 1) * EVENT_ID_STEP;
}

static void split_id(struct bytes id, struct delta_values *values, struct sbuf columns[DELTA_COLUMNS])
{
    uint64_t time = htobe64(values->numbers[DELTA_time_ns]), hash; /* what an id begins with, of most */

    for (size_t i = 0; i < sizeof(time); i++)
        sbuf_add_char(&columns[DELTA_id], (char)(id.data[i] ^ ((const char *)&time)[i]));
    memcpy(&hash, id.data + sizeof(time), sizeof(hash));
    hash = htobe64(steps_of(values->id, be64toh(hash)));
    sbuf_add(&columns[DELTA_COLUMN_ID_REST], (const char *)&hash, sizeof(hash));
    memcpy(values->id, id.data, ID_LEN);
}

/* Which of the message's members differ, as they are now: times, which are the event's as a rule, by how far they are from that. */
static bool split_state(struct bytes message, const struct delta_values *values, unsigned state, struct sbuf *which,
                        struct sbuf members[STATE_MEMBERS])
{
    uint64_t mask, d;

    if (!unpack_u64(&message, &mask))
        return false;
    pack_u64(which, mask);
    for (uint64_t left = mask; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);

        if (!unpack_u64(&message, &d))
            return false;
        pack_u64(&members[i], i < STATE_TIMES ? d : fold(values->states[state][i] - values->numbers[DELTA_time_ns]));
    }
    return true;
}
_Static_assert((int)DELTA_time_ns < (int)DELTA_file && (int)DELTA_time_ns < (int)DELTA_before && (int)DELTA_time_ns < (int)DELTA_after,
               "the time is not known yet");

/* Of a rename: the directory is the path's as a rule, and its name the path's of the event before. */
#define PREVIOUS_DIRECTORY DELTA_DIRECTORY(PLACE_PREVIOUS)
#define PREVIOUS_NAME DELTA_NAME(PLACE_PREVIOUS)
enum { UNKNOWN, EXPECTED, LENGTH_AND };
_Static_assert(DELTA_DIRECTORY(PLACE_PATH) < PREVIOUS_DIRECTORY, "the path is not known yet");

static bool is_previous(unsigned field)
{
    return field == PREVIOUS_DIRECTORY || field == PREVIOUS_NAME;
}

/* name: of the path of the event before. */
static struct bytes expected_of(unsigned field, const struct delta_values *values, struct bytes name)
{
    return field == PREVIOUS_NAME ? name : values->bytes[DELTA_DIRECTORY(PLACE_PATH)];
}

static void split_previous(struct bytes value, struct bytes expected, struct sbuf *out)
{
    if (!bytes_known(value)) {
        pack_u64(out, UNKNOWN);
    } else if (bytes_known(expected) && bytes_equal(value, expected)) {
        pack_u64(out, EXPECTED);
    } else {
        pack_u64(out, value.len + LENGTH_AND);
        sbuf_add_bytes(out, value);
    }
}

int delta_split(struct bytes *message, struct delta_values *values, struct sbuf columns[DELTA_COLUMNS], struct sbuf *members)
{
    const char *mask_at = message->data;
    struct bytes id = BYTES_NULL, name = values->bytes[DELTA_NAME(PLACE_PATH)];
    bool fine = true;
    uint64_t mask;

    if (!take_mask(message, values, &mask))
        return -EBADMSG;
    if (mask & DELTA_ALONE)
        name = BYTES_NULL;
    sbuf_add(&columns[DELTA_COLUMN_MASK], mask_at, sizeof(mask));
    for (uint64_t left = mask & ~DELTA_ALONE; left && fine; left &= left - 1) {
        unsigned field = (unsigned)__builtin_ctzll(left);
        const char *at = message->data;
        struct bytes own;

        if (!take_field(field, message, values))
            return -EBADMSG;
        own = (struct bytes){ at, (size_t)(message->data - at) };
        if (field == DELTA_id)
            id = values->bytes[field];
        else if (members && type_of(field) == FIELD_STATE)
            fine = split_state(own, values, state_of(field), &columns[field], members + state_of(field) * STATE_MEMBERS);
        else if (members && is_previous(field))
            split_previous(values->bytes[field], expected_of(field, values, name), &columns[field]);
        else
            sbuf_add_bytes(&columns[field], own);
    }
    if (fine && id.data)
        split_id(id, values, columns);
    return fine ? 0 : -EBADMSG;
}

static bool join_id(struct bytes columns[DELTA_COLUMNS], struct delta_values *values, bool steps)
{
    struct bytes *first = &columns[DELTA_id], *rest = &columns[DELTA_COLUMN_ID_REST];
    uint64_t time = htobe64(values->numbers[DELTA_time_ns]), word;

    if (first->len < sizeof(word) || rest->len < sizeof(word))
        return false;
    memcpy(&word, rest->data, sizeof(word));
    if (steps)
        word = htobe64(hash_of(values->id, be64toh(word)));
    memcpy(values->id + sizeof(word), &word, sizeof(word));
    memcpy(&word, first->data, sizeof(word));
    word ^= time;
    memcpy(values->id, &word, sizeof(word));
    *first = (struct bytes){ first->data + sizeof(word), first->len - sizeof(word) };
    *rest = (struct bytes){ rest->data + sizeof(word), rest->len - sizeof(word) };
    values->bytes[DELTA_id] = (struct bytes){ values->id, ID_LEN };
    return true;
}
_Static_assert(ID_LEN == 2 * sizeof(uint64_t), "join_id() joins two words");

static bool join_state(struct bytes *which, struct bytes columns[STATE_MEMBERS], struct delta_values *values, unsigned state)
{
    uint64_t *members = values->states[state], mask;

    if (!unpack_u64(which, &mask) || mask >> STATE_MEMBERS)
        return false;
    for (; mask; mask &= mask - 1) {
        unsigned i = (unsigned)__builtin_ctzll(mask);

        if (i >= STATE_TIMES)
            members[i] = values->numbers[DELTA_time_ns];
        if (!take_difference(&columns[i], &members[i]))
            return false;
    }
    return true;
}

static bool join_previous(struct bytes *from, struct bytes expected, struct bytes *ret)
{
    uint64_t n;

    if (!unpack_u64(from, &n) || (n >= LENGTH_AND && n - LENGTH_AND > from->len))
        return false;
    if (n < LENGTH_AND) {
        *ret = n == UNKNOWN ? BYTES_NULL : expected;
        return n == UNKNOWN || bytes_known(expected);
    }
    n -= LENGTH_AND;
    *ret = (struct bytes){ from->data, (size_t)n };
    *from = (struct bytes){ from->data + n, from->len - (size_t)n };
    return true;
}

static bool join_field(unsigned field, struct bytes *from, struct bytes *members, struct bytes name, struct delta_values *values)
{
    if (members && type_of(field) == FIELD_STATE)
        return join_state(from, members + state_of(field) * STATE_MEMBERS, values, state_of(field));
    if (members && is_previous(field))
        return join_previous(from, expected_of(field, values, name), &values->bytes[field]);
    return take_field(field, from, values);
}

int delta_join(struct bytes columns[DELTA_COLUMNS], struct bytes *members, struct delta_values *values, bool steps)
{
    struct bytes name = values->bytes[DELTA_NAME(PLACE_PATH)];
    uint64_t mask;

    if (!take_mask(&columns[DELTA_COLUMN_MASK], values, &mask))
        return -EBADMSG;
    if (mask & DELTA_ALONE)
        name = BYTES_NULL;
    for (uint64_t left = mask & ~DELTA_ALONE & ~(1ull << DELTA_id); left; left &= left - 1) {
        unsigned field = (unsigned)__builtin_ctzll(left);

        if (!join_field(field, &columns[field], members, name, values))
            return -EBADMSG;
    }
    return !(mask >> DELTA_id & 1) || join_id(columns, values, steps) ? 0 : -EBADMSG;
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
