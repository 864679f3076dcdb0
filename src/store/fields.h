/* SPDX-License-Identifier: MIT */
/*
 * Which member of a struct is in which column: one table for packing, writing and reading, so
 * that none of the three can forget one. The order of a table is the order of its columns.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/bytes.h"
#include "util/sbuf.h"

enum field_type {
    FIELD_BOOL,
    FIELD_I32,   /* int, pid_t, enum */
    FIELD_U32,
    FIELD_I64,
    FIELD_U64,   /* stored as SQLite's signed integer of the same bits */
    FIELD_BYTES, /* BLOB: no encoding is promised; NULL = unknown */
    FIELD_ID,    /* 16 bytes */
    FIELD_STATE, /* struct file_state, packed: known, then its members in order as varints */
};

struct field {
    const char *column;
    size_t offset;
    enum field_type type;
};

/* Tables end with column NULL. */
extern const struct field event_fields[];
extern const struct field process_fields[];
extern const struct field container_fields[];

/* How many columns the table has. */
unsigned fields_count(const struct field *fields);
/* "a, b, c"; as definition: "a BLOB, b INTEGER". */
void fields_columns(const struct field *fields, const char *prefix, struct sbuf *out);
void fields_definition(const struct field *fields, struct sbuf *out);

/* Append the members of `record` to a message. */
void fields_pack(const struct field *fields, const void *record, struct sbuf *out);
/* The members of `record` from what fields_pack() made; moves *message behind it. Bytes are copied into `arena`. -EBADMSG: not
 * such a message. */
int fields_unpack(const struct field *fields, struct bytes *message, struct arena *arena, void *record);
/* The members of `record` from values in the table's order, of each the number or the bytes. Into an arena of which nothing was
 * allocated yet, the bytes with one allocation. */
int fields_set(const struct field *fields, const uint64_t *numbers, const struct bytes *bytes, struct arena *arena, void *record);
/* Bind a message's values from parameter `first` on; moves *message behind them. The message has to
 * outlive the statement's step. -EBADMSG: not such a message. */
int fields_bind(const struct field *fields, struct bytes *message, sqlite3_stmt *statement,
                int first);
struct file_state;
void fields_bind_state(const struct file_state *state, sqlite3_stmt *statement, int at); /* copies */
/* Columns from `first` on into `record`; bytes are copied into `arena`. */
void fields_read(const struct field *fields, sqlite3_stmt *statement, int first,
                 struct arena *arena, void *record);

/* The members of a state in the order in which they are stored. */
#define STATE_MEMBERS 12
#define STATE_TIMES 9 /* from that one on, CLOCK_REALTIME ns */
/* Both ways; a member that is not known is as it is in the struct. */
void state_members(const struct file_state *state, uint64_t ret[STATE_MEMBERS]);
void state_set(struct file_state *state, const uint64_t members[STATE_MEMBERS]);

/* Parts of a message. */
#define VARINT_MAX 10 /* bytes */
static inline char *put_u64(char *at, uint64_t value) /* seven bits a byte, the lowest first; returns its end */
{
    while (value >= 0x80) {
        *at++ = (char)(value | 0x80);
        value >>= 7;
    }
    *at++ = (char)value;
    return at;
}
/* Appends a varint; bytes with their length before them, of which BYTES_NULL is distinguished. */
void pack_u64(struct sbuf *out, uint64_t value);
void pack_bytes(struct sbuf *out, struct bytes value);
/* Takes one from the front of the message. False: it is cut short or malformed. Bytes are a view into the message. */
bool unpack_u64(struct bytes *message, uint64_t *ret);
bool unpack_bytes(struct bytes *message, struct bytes *ret);
