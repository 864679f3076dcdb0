/* SPDX-License-Identifier: MIT */
/*
 * A growing string. Out of memory is sticky: once an addition fails all later ones are ignored,
 * and sbuf_error() says so at the end, so that writers need not check each call.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/macro.h"

struct sbuf {
    char *data; /* NUL-terminated whenever not NULL */
    size_t len;
    size_t size; /* equal to len after an error: no room is the one thing that an addition checks */
    int error;   /* 0 or -ENOMEM */
};

#define SBUF_INIT ((struct sbuf){ NULL, 0, 0, 0 })

void sbuf_done(struct sbuf *s);  /* frees the text; the buffer is empty and may be used again */
void sbuf_clear(struct sbuf *s); /* keeps the memory */
int sbuf_error(const struct sbuf *s); /* 0, or -ENOMEM: an addition since sbuf_clear() failed */
/* The text so far, "" if nothing was added; valid until the next addition. */
const char *sbuf_str(const struct sbuf *s);
struct bytes sbuf_bytes(const struct sbuf *s);
/* Gives the string away (caller frees); NULL on an earlier error. The buffer is empty afterwards. */
char *sbuf_steal(struct sbuf *s);

void sbuf_add_slowly(struct sbuf *s, const char *data, size_t len); /* sbuf_add() without room */
static inline void sbuf_add(struct sbuf *s, const char *data, size_t len) /* copies; not of the buffer itself */
{
    if (len >= s->size - s->len) { /* one byte more for the NUL */
        sbuf_add_slowly(s, data, len);
        return;
    }
    if (len)
        memcpy(s->data + s->len, data, len);
    s->len += len;
    s->data[s->len] = '\0';
}
void sbuf_add_text(struct sbuf *s, const char *text); /* sbuf_add_str(), out of line */
void sbuf_fill(struct sbuf *s, char c, size_t count); /* so many of it */
static inline void sbuf_add_str(struct sbuf *s, const char *text) /* text: ended by a NUL, not NULL */
{
    if (__builtin_constant_p(strlen(text)) && strlen(text) <= 16) /* a literal: the copy is a move or two */
        sbuf_add(s, text, strlen(text));
    else
        sbuf_add_text(s, text);
}
static inline void sbuf_add_char(struct sbuf *s, char c) /* the same of one character */
{
    if (s->size - s->len <= 1) {
        sbuf_fill(s, c, 1);
        return;
    }
    s->data[s->len++] = c;
    s->data[s->len] = '\0';
}
static inline void sbuf_add_bytes(struct sbuf *s, struct bytes b) /* raw: not for output to people */
{
    sbuf_add(s, b.data, b.len);
}
void sbuf_add_decimal(struct sbuf *s, uint64_t value); /* as %llu, at a tenth of its price */
void sbuf_addf(struct sbuf *s, const char *format, ...) _printf_(2, 3); /* as printf(3) */
/* Room for so many bytes, to be written there and then added; NULL: out of memory. */
char *sbuf_room(struct sbuf *s, size_t len);
void sbuf_added(struct sbuf *s, size_t len);
/* All that can still be read from fd. -EFBIG: it would be longer than `max` bytes then; -errno of read(2), -ENOMEM. */
int sbuf_add_file(struct sbuf *s, int fd, size_t max);
void sbuf_truncate(struct sbuf *s, size_t len);

#define _cleanup_sbuf_ _cleanup_(sbuf_done)
