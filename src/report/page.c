/* SPDX-License-Identifier: MIT */
#include "report/page.h"

/* Lines with a label, wrapped to the terminal's width; piped, each is whole. */
#include "report/case_state.h"
#include "util/escape.h"
#include "util/width.h"

#define LABEL 10

void page_begin(struct page *p, const char *label)
{
    p->line_at = p->out->len;
    sbuf_addf(p->out, "  %s%-*s%s", p->colour ? "\x1b[2m" : "", LABEL, label, p->colour ? "\x1b[0m" : "");
}

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

void page_end(struct page *p, unsigned indent)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;
    struct bytes rest;

    if (!p->columns || p->columns <= 2 * indent) {
        sbuf_add_char(p->out, '\n');
        return;
    }
    sbuf_add(&line, sbuf_str(p->out) + p->line_at, p->out->len - p->line_at);
    sbuf_truncate(p->out, p->line_at);
    rest = sbuf_bytes(&line);
    for (unsigned in = 0; rest.len; in = indent) {
        size_t next, n;
        /* the first line's label is text of the line: a break within it would break nothing useful */
        unsigned room = p->columns - in;

        n = fitting(rest, room, &next);
        sbuf_fill(p->out, ' ', in);
        sbuf_add(p->out, rest.data, n);
        sbuf_add_char(p->out, '\n');
        rest = (struct bytes){ rest.data + next, rest.len - next };
    }
}
