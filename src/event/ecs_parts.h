/* SPDX-License-Identifier: MIT */
/*
 * Parts of which ecs.c and ecs_actor.c write their objects. Pure. `key` is made by the macros of util/json_writer.h;
 * what is empty or not known is left out.
 */
#pragma once

#include "event/ecs_time.h"
#include "util/bytes.h"
#include "util/escape.h"
#include "util/json_writer.h"
#include "util/sbuf.h"

/* Where the exact bytes of fields that were not UTF-8 are collected, as members. */
struct ecs_raw {
    struct sbuf members;
};

/* The member `full_key` with the bytes of `value` in hexadecimal. */
static inline void ecs_add_raw(struct ecs_raw *raw, const char *full_key, struct bytes value)
{
    json_key_of(&raw->members, full_key);
    sbuf_add_char(&raw->members, '"');
    escape_hex(&raw->members, value);
    sbuf_add_char(&raw->members, '"');
}

/* A text of others; what is not UTF-8 is replaced there, and is exact in `raw` under full_key. raw: NULL: nowhere. */
static inline void ecs_add_bytes_raw(struct sbuf *out, struct bytes key, struct bytes value, struct ecs_raw *raw,
                                     const char *full_key)
{
    if (!value.len)
        return;
    json_key(out, key);
    if (escape_json(out, value) && raw)
        ecs_add_raw(raw, full_key, value);
}

/* value: of our own, ended by a NUL; NULL: left out. */
static inline void ecs_add_text(struct sbuf *out, struct bytes key, const char *value)
{
    json_bytes(out, key, bytes_of(value));
}

/* key: a JSON_MEMBER */
static inline void ecs_add_only(struct sbuf *out, struct bytes key, struct bytes value)
{
    if (!value.len)
        return;
    json_bytes(out, key, value);
    sbuf_add_char(out, '}');
}

/* key: a JSON_TEXT_KEY */
static inline void ecs_add_number_text(struct sbuf *out, struct bytes key, uint64_t value)
{
    json_number(out, key, value);
    sbuf_add_char(out, '"');
}

/* time_ns: CLOCK_REALTIME; 0: not known. */
static inline void ecs_add_time(struct sbuf *out, struct bytes key, uint64_t time_ns)
{
    if (!time_ns)
        return;
    json_key(out, key);
    ecs_write_time(out, time_ns);
}

/* Words, each ended by a NUL, as an array. */
static inline void ecs_add_words(struct sbuf *out, struct bytes key, struct bytes words)
{
    json_key(out, key);
    sbuf_add_char(out, '[');
    escape_json_words(out, words, "\",\"");
    sbuf_add_char(out, ']');
}

/* The same words, of which the last one is not ended. A view. */
static inline struct bytes ecs_without_last_nul(struct bytes words)
{
    if (words.len && !words.data[words.len - 1])
        words.len--;
    return words;
}
