/* SPDX-License-Identifier: MIT */
#include "config/scan.h"

#include <ctype.h>
#include <errno.h>

#include "config/keys.h"
#include "util/macro.h"

#define DEPTH_MAX 2 /* a list in a watch */

struct scan {
    struct bytes text;
    size_t at;
    unsigned line;
    unsigned open[DEPTH_MAX]; /* lines of the braces that are open */
    unsigned depth;
    struct err *err;
};

static bool more(const struct scan *s)
{
    return s->at < s->text.len;
}

static char next(struct scan *s)
{
    char c = s->text.data[s->at++];

    s->line += c == '\n';
    return c;
}

/* Behind the opening quote. Values are one line. */
static int scan_quoted(struct scan *s, char quote)
{
    unsigned begin = s->line;

    while (more(s)) {
        char c = next(s);

        if (c == quote)
            return 0;
        if (c == '\n')
            break;
        if (c == '\0') {
            return err_say(s->err, -EINVAL, "a NUL byte: this is no text");
        } else if (c == '\\' && more(s)) {
            char escaped = next(s);

            if (escaped == '\n')
                break;
            if (quote == '"' && escaped >= '0' && escaped <= '9')
                return err_say(s->err, -EINVAL, "\\%c: a byte is written as \\x1b, a backslash as \\\\", escaped);
        } else if (quote == '"' && c == '$' && more(s) && s->text.data[s->at] == '{') {
            return err_say(s->err, -EINVAL, "${: nothing is replaced here; for the characters themselves use '...'");
        }
    }
    s->line = begin;
    return err_say(s->err, -EINVAL, "the quote that begins here does not end in its line");
}

static int scan_brace(struct scan *s, char brace)
{
    if (brace == '{' && s->depth == DEPTH_MAX)
        return err_say(s->err, -EINVAL, "\"{\" has no place here");
    if (brace == '{')
        s->open[s->depth++] = s->line;
    else if (s->depth)
        s->depth--;
    s->at++;
    return 0;
}

/* "[watch web]": how sections of other programs' files begin. */
static int scan_heading(const struct scan *s)
{
    struct bytes rest = { s->text.data + s->at + 1, s->text.len - s->at - 1 }, line = bytes_next_line(&rest), word = bytes_next_word(&line);
    struct bytes name = bytes_next_word(&line);
    const char *end;

    if ((end = bytes_char(word, ']')))
        word.len = (size_t)(end - word.data);
    if ((end = bytes_char(name, ']')))
        name.len = (size_t)(end - name.data);
    for (unsigned section = CONFIG_TOP + 1; section < CONFIG_SECTION_COUNT; section++)
        if (bytes_equal_str(word, config_section_name((enum config_section)section)))
            return err_say(s->err, -EINVAL, "no [...] here: write %.*s %.*s { ... }, with what belongs to it between the braces", (int)word.len, word.data,
                           (int)(name.len ? MIN(name.len, (size_t)80) : 4), name.len ? name.data : "NAME");
    return err_say(s->err, -EINVAL, "no [...] here: KEY = VALUE stands without one, else watch, expect or sink NAME { ... }");
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_-./:@%", c));
}

int config_scan(struct bytes text, unsigned *ret_line, struct err *err)
{
    struct scan s = { .text = text, .line = 1, .err = err };
    char before = '\n';
    int r = 0;

    while (r == 0 && more(&s)) {
        char c = text.data[s.at], after = s.at + 1 < text.len ? text.data[s.at + 1] : '\0';

        if (c == '#') {
            while (more(&s) && text.data[s.at] != '\n' && text.data[s.at] != '\0')
                s.at++;
        } else if (c == '"' || c == '\'') {
            s.at++;
            r = scan_quoted(&s, c);
        } else if (c == '\0') {
            r = err_say(err, -EINVAL, "a NUL byte: this is no text");
        } else if (c == '/' && (after == '/' || after == '*') && !is_word(before)) {
            r = err_say(err, -EINVAL, "a comment begins with #, a path with one slash");
        } else if (c == '/' && after == '*') {
            r = err_say(err, -EINVAL, "\"*\" stands in quotes");
        } else if (c == '{' || c == '}') {
            r = scan_brace(&s, c);
        } else if (is_word(c) || strchr(" \t\r\n=,", c)) {
            (void)next(&s);
        } else if (c == ';') {
            r = err_say(err, -EINVAL, "';' has no place here: what follows begins a line of its own");
        } else if (c == '+') {
            r = err_say(err, -EINVAL, "'+' has no place here: write the whole list, KEY = { VALUE, VALUE }");
        } else if (c == '[' && before == '\n') {
            r = scan_heading(&s);
        } else if (isprint((unsigned char)c)) {
            r = err_say(err, -EINVAL, "'%c' stands in quotes: \"...\"", c);
        } else {
            r = err_say(err, -EINVAL, "the byte 0x%02x stands in quotes: \"...\"", (unsigned char)c);
        }
        before = c;
    }
    if (r == 0 && s.depth) {
        s.line = s.open[s.depth - 1];
        r = err_say(err, -EINVAL, "the \"{\" that stands here is not closed");
    }
    *ret_line = s.line;
    return r;
}
