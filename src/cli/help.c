/* SPDX-License-Identifier: MIT */
/* `culprit help COMMAND`: the words of its verb, and its options from the table. */
#include "cli/options.h"

#include <string.h>

#include "util/macro.h"

#define WIDTH 100     /* of a line; a terminal that is narrower wraps it itself */
#define COLUMN_MAX 34 /* where the explanation begins at the latest */

static void add_left(struct sbuf *s, const struct option_row *row)
{
    sbuf_addf(s, "  %s%s%s", row->letter ? row->letter : "  ", !row->name ? "" : row->letter ? ", " : "  ",
              row->name ? row->name : "");
    if (row->argument)
        sbuf_addf(s, " %s", row->argument);
}

static size_t left_width(const struct option_row *row)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    add_left(&s, row);
    return s.len;
}

/* Word by word; what follows a line's end begins at `column`. */
static void add_wrapped(struct sbuf *s, const char *text, size_t column)
{
    size_t used = column;

    while (*text) {
        size_t n = strcspn(text, " ");

        if (used > column && used + 1 + n > WIDTH) {
            sbuf_addf(s, "\n%*s", (int)column, "");
            used = column;
        } else if (used > column) {
            sbuf_add_char(s, ' ');
            used++;
        }
        sbuf_add(s, text, n);
        used += n;
        text += n + (text[n] == ' ');
    }
    sbuf_add_char(s, '\n');
}

static void add_options(struct sbuf *s, const struct verb *verb)
{
    const struct option_row *row;
    size_t column = 0;
    unsigned i = 0;

    while ((row = verb_option(verb, &i)) != NULL)
        column = MAX(column, left_width(row) + 2);
    column = MIN(column, (size_t)COLUMN_MAX);
    i = 0;
    while ((row = verb_option(verb, &i)) != NULL) {
        size_t left = left_width(row);

        add_left(s, row);
        sbuf_addf(s, "%*s", left + 2 <= column ? (int)(column - left) : 2, "");
        add_wrapped(s, row->help, column);
    }
}

void cli_print_help(const struct verb *verb)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    unsigned i = 0;

    sbuf_addf(&text, "usage: culprit %s %s\n\n%s", verb->name, verb->usage, verb->help);
    if (verb_option(verb, &i)) {
        sbuf_add_char(&text, '\n');
        add_options(&text, verb);
    }
    if (verb->after)
        sbuf_addf(&text, "\n%s", verb->after);
    cli_write(stdout, &text);
}
