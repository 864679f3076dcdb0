/* SPDX-License-Identifier: MIT */
/*
 * An event as what differs from the event before it: that is how it goes to the writer's thread, and how many at
 * a time are kept on disk (store/block.h). The format:
 *
 *     mask    8 bytes, little endian: bit i = field i differs; bit 63 = complete by itself: all was 0 or unknown before
 *     fields  those that differ, in order: a number's difference as a varint, its sign in the lowest bit;
 *             bytes as pack_bytes() has them; an id's 16 bytes; a state's mask as a varint, and the differences
 *             of those of its members
 *
 * The fields are those of struct event_places, then EVENT_FIELDS, which may only grow at its end: what an older
 * culprit wrote then reads as unknown.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/event_fields.h"
#include "store/fields.h"

#define DELTA_FIELDS 63
#define DELTA_ALONE (1ull << DELTA_FIELDS)
#define DELTA_STATES 4

/* What of an event is stored apart from its record. */
enum { PLACE_PATH, PLACE_PREVIOUS, PLACE_HOST, PLACE_COUNT };
struct event_places {
    uint64_t suspect; /* its number; a mask has no bit for the rest, which goes beside it */
    struct {
        struct bytes directory, name;
    } at[PLACE_COUNT];
    struct bytes previous_host_path;
};

/* The fields' numbers. */
#define DELTA_DIRECTORY(place) (DELTA_PLACES + 2 * (place))
#define DELTA_NAME(place) (DELTA_PLACES + 2 * (place) + 1)
#define DELTA_NUMBER(column, member, type) DELTA_##column,
enum {
    DELTA_SUSPECT,
    DELTA_PLACES,
    DELTA_PREVIOUS_HOST_PATH = DELTA_PLACES + 2 * PLACE_COUNT,
    EVENT_FIELDS(DELTA_NUMBER) /* DELTA_time_ns ... */
    DELTA_FIELDS_NOW
};
#undef DELTA_NUMBER
_Static_assert(DELTA_FIELDS_NOW <= DELTA_FIELDS, "a mask has no bit for the field");

struct delta_packer {
    bool alone; /* the next one must be complete by itself: set it at the beginning of a buffer */
    uint64_t numbers[DELTA_FIELDS], states[DELTA_STATES][STATE_MEMBERS];
    struct {
        size_t at, len; /* in the buffer; len counts from 1, 0 = unknown */
    } bytes[DELTA_FIELDS];
};

/* Appends the event; the one before is in the same buffer. */
void delta_pack(struct delta_packer *packer, const struct event_places *places, const struct event *event,
                struct sbuf *out);

/* An event's fields, taken apart. Bytes point into the messages. */
struct delta_values {
    uint64_t numbers[DELTA_FIELDS], states[DELTA_STATES][STATE_MEMBERS];
    struct bytes bytes[DELTA_FIELDS];
    char id[16]; /* delta_join()'s and delta_split()'s */
};

/* Does it say everything by itself, without the event before it? What is too short is not. */
bool delta_is_alone(struct bytes message);
/* The same of a whole MESSAGE_EVENT or MESSAGE_EVENT_ONCE. */
bool delta_event_is_alone(struct bytes message);
/* Moves *message behind the event and *values to it; *ret_mask: what differs. -EBADMSG. */
int delta_unpack(struct bytes *message, struct delta_values *values, uint64_t *ret_mask);

/*
 * The same fields, those of one kind beside each other: they are alike, and are compressed to half of what the events are. A
 * column for each field, with what the message has of it; of the id, whose first half is the time as a rule, what differs from that;
 * of its second half by how many of EVENT_ID_STEP it is farther on than the one before it, less the one that is expected. Of a state the
 * column has which members differ, and each member has one of its own, in which times are the difference to the event's. Of a previous
 * path's directory: 0 unknown, 1 the path's own, else its length and 2 more, and its bytes; of its name likewise, and 1 the name of the path
 * of the event before.
 */
#define DELTA_COLUMN_MASK DELTA_FIELDS
#define DELTA_COLUMN_ID_REST (DELTA_FIELDS + 1)
#define DELTA_COLUMNS (DELTA_FIELDS + 2)
#define DELTA_MEMBER_COLUMNS (DELTA_STATES * STATE_MEMBERS)
/* Moves *message behind the event, *values to it, and adds it to the columns. members: NULL for columns of before, where a state, and a
 * previous path, are as the message has them; nothing writes them any more but tests. -EBADMSG. */
int delta_split(struct bytes *message, struct delta_values *values, struct sbuf columns[DELTA_COLUMNS], struct sbuf *members);
/* Moves each column behind its part of the event, and *values to it. steps: false for columns of before, where the second half of an id
 * is as it is; members: NULL likewise. -EBADMSG. */
int delta_join(struct bytes columns[DELTA_COLUMNS], struct bytes *members, struct delta_values *values, bool steps);

/* The record's fields as columns, without the places: parameters from `first` on. The values have to outlive the
 * statement's step. */
void delta_bind(const struct delta_values *values, sqlite3_stmt *statement, int first);
/* Into the record, but for the places; bytes are copied into its arena. */
void delta_read(const struct delta_values *values, struct event *event);
