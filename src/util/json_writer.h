/* SPDX-License-Identifier: MIT */
/*
 * JSON (RFC 8259), appended to a string buffer. There is no state beside the text: what is first in its object or array
 * goes without a comma, and that is seen by how the text ends. Keys are constants; values are escaped here. Running out of
 * memory is the buffer's error (util/sbuf.h). Any thread, each with its own buffer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/sbuf.h"

/* ---- keys: constants, with NULs behind them, so that a short one is copied by two moves however long it is ---- */

#define JSON_PAD "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* with its own NUL */
/* text: begins with the comma, which the first in an object goes without. */
#define JSON_LITERAL(text) ((struct bytes){ text JSON_PAD, sizeof(text) - 1 })
#define JSON_KEY(name) JSON_LITERAL(",\"" name "\":")
#define JSON_TEXT_KEY(name) JSON_LITERAL(",\"" name "\":\"") /* with the quote that begins a text of ours */
#define JSON_OBJECT(name) JSON_LITERAL(",\"" name "\":{")
#define JSON_ARRAY(name) JSON_LITERAL(",\"" name "\":[")
#define JSON_MEMBER(object, name) JSON_LITERAL(",\"" object "\":{\"" name "\":") /* the only member of an object */

static inline bool json_is_first(const struct sbuf *out) /* in its object or array */
{
    return out->len == 0 || out->data[out->len - 1] == '{' || out->data[out->len - 1] == '[';
}

/* Where room is short, or for a long one. */
void json_key_slowly(struct sbuf *out, struct bytes key);

/* key: a JSON_LITERAL; a value has to follow. What is the same for all lengths is all that is done: a third of a line is keys. */
static inline void json_key(struct sbuf *out, struct bytes key)
{
    size_t len = out->len, comma;

    if (len == 0 || key.len > sizeof(JSON_PAD) || out->size - len <= sizeof(JSON_PAD)) {
        json_key_slowly(out, key);
        return;
    }
    comma = json_is_first(out);
    memcpy(out->data + len, key.data + comma, sizeof(JSON_PAD));
    len += key.len - comma;
    out->data[len] = '\0';
    out->len = len;
}

/* A key that is found in a table of ours: it needs no escaping. */
void json_key_of(struct sbuf *out, const char *name);

/* ---- objects and arrays ---- */

/* key: a JSON_OBJECT or JSON_ARRAY. Returns where it begins, for json_close_filled(). */
static inline size_t json_open(struct sbuf *out, struct bytes key)
{
    size_t at = out->len;

    json_key(out, key);
    return at;
}

/* An object that is an element of an array, or the whole. */
static inline void json_open_element(struct sbuf *out)
{
    if (!json_is_first(out))
        sbuf_add_char(out, ',');
    sbuf_add_char(out, '{');
}

static inline void json_close(struct sbuf *out) /* closes an object, also an empty one */
{
    sbuf_add_char(out, '}');
}

static inline void json_close_array(struct sbuf *out) /* the same of an array */
{
    sbuf_add_char(out, ']');
}

/* Close an object; one that stayed empty is taken away with its key. */
static inline void json_close_filled(struct sbuf *out, size_t at)
{
    if (out->len && out->data[out->len - 1] == '{')
        sbuf_truncate(out, at);
    else
        sbuf_add_char(out, '}');
}

/* ---- members: key and value ---- */

/* Always written. Returns true if `value` is not UTF-8: U+FFFD stands for what is not. */
bool json_string(struct sbuf *out, struct bytes key, struct bytes value);
/* Nothing where the value is empty or not known. */
void json_bytes(struct sbuf *out, struct bytes key, struct bytes value);
void json_number(struct sbuf *out, struct bytes key, uint64_t value);
void json_signed(struct sbuf *out, struct bytes key, int64_t value);
void json_bool(struct sbuf *out, struct bytes key, bool value);
/* As RFC 3339 has it, in UTC and whole seconds; time_ns: CLOCK_REALTIME. */
void json_second(struct sbuf *out, struct bytes key, uint64_t time_ns);
void json_flag(struct sbuf *out, struct bytes key, bool set); /* nothing where it is false */
void json_fraction(struct sbuf *out, struct bytes key, double value, int digits); /* behind the point */
void json_hex(struct sbuf *out, struct bytes key, struct bytes value); /* a text of hexadecimal digits */

/* ---- elements of an array ---- */

/* A string, with a comma before it where it is not the first. */
void json_element(struct sbuf *out, struct bytes value);
