/* SPDX-License-Identifier: MIT */
/*
 * A growing string. Out of memory is sticky: once an addition fails all later ones are ignored,
 * and sbuf_error() says so at the end, so that writers need not check each call.
 */
#pragma once

#include <stddef.h>

#include "util/bytes.h"
#include "util/macro.h"

struct sbuf {
    char *data; /* NUL-terminated whenever not NULL */
    size_t len;
    size_t size;
    int error; /* 0 or -ENOMEM */
};

#define SBUF_INIT ((struct sbuf){ NULL, 0, 0, 0 })

void sbuf_done(struct sbuf *s);
void sbuf_clear(struct sbuf *s); /* keeps the memory */
int sbuf_error(const struct sbuf *s);
/* The text so far, "" if nothing was added; valid until the next addition. */
const char *sbuf_str(const struct sbuf *s);
struct bytes sbuf_bytes(const struct sbuf *s);
/* Gives the string away (caller frees); NULL on an earlier error. The buffer is empty afterwards. */
char *sbuf_steal(struct sbuf *s);

void sbuf_add_slowly(struct sbuf *s, const char *data, size_t len); /* sbuf_add() without room */
static inline void sbuf_add(struct sbuf *s, const char *data, size_t len)
{
    if (s->error || s->size < len || s->size - len <= s->len) { /* one byte more for the NUL */
        sbuf_add_slowly(s, data, len);
        return;
    }
    if (len)
        memcpy(s->data + s->len, data, len);
    s->len += len;
    s->data[s->len] = '\0';
}
void sbuf_add_str(struct sbuf *s, const char *text);
void sbuf_add_char(struct sbuf *s, char c);
void sbuf_add_bytes(struct sbuf *s, struct bytes b); /* raw: not for output to people */
void sbuf_addf(struct sbuf *s, const char *format, ...) _printf_(2, 3);
/* Room for so many bytes, to be written there and then added; NULL: out of memory. */
char *sbuf_room(struct sbuf *s, size_t len);
void sbuf_added(struct sbuf *s, size_t len);
void sbuf_truncate(struct sbuf *s, size_t len);

#define _cleanup_sbuf_ _cleanup_(sbuf_done)
