/* SPDX-License-Identifier: MIT */
#include "util/wrap.h"

#include <string.h>

#include "util/escape.h"
#include "util/width.h"

/* The length of a colour at the beginning, which takes no column: ESC "[" digits "m". */
static size_t colour_length(struct bytes text)
{
    const char *end = text.len > 1 && text.data[0] == '\x1b' ? memchr(text.data, 'm', text.len) : NULL;

    return end ? (size_t)(end - text.data) + 1 : 0;
}

/* How much of the text fits, up to a blank; at least one word. *ret_next: where the next line begins. */
static size_t fitting(struct bytes text, unsigned columns, size_t *ret_next)
{
    size_t at = 0, blank = 0;
    unsigned used = 0;

    while (at < text.len) {
        struct bytes rest = { text.data + at, text.len - at };
        size_t n = colour_length(rest);
        uint32_t code = 0;

        if (!n) {
            n = utf8_decode(rest, &code);
            used += n ? width_of(code) : 1;
            n = n ? n : 1;
        }
        if (used > columns && blank)
            break;
        if (code == ' ' && at > 0 && text.data[at - 1] != ' ')
            blank = at;
        at += n;
    }
    if (at >= text.len) {
        *ret_next = text.len;
        return text.len;
    }
    for (at = blank; at < text.len && text.data[at] == ' '; at++)
        ;
    *ret_next = at;
    return blank;
}

void wrap_line(struct sbuf *out, size_t from, unsigned columns, unsigned indent)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;
    struct bytes rest;

    if (!columns || columns <= 2 * indent) {
        sbuf_add_char(out, '\n');
        return;
    }
    sbuf_add(&line, sbuf_str(out) + from, out->len - from);
    sbuf_truncate(out, from);
    rest = sbuf_bytes(&line);
    for (unsigned in = 0; rest.len; in = indent) {
        size_t next, n = fitting(rest, columns - in, &next); /* a first line's label is text of the line */

        sbuf_fill(out, ' ', in);
        sbuf_add(out, rest.data, n);
        sbuf_add_char(out, '\n');
        rest = (struct bytes){ rest.data + next, rest.len - next };
    }
}
