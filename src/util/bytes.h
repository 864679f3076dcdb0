/* SPDX-License-Identifier: MIT */
/*
 * A view of bytes that came from outside: a path, an argument, a container's name. No NUL is
 * promised, any byte may occur, and a view owns nothing. {NULL, 0} means "not known".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct bytes {
    const char *data;
    size_t len;
};

#define BYTES_NULL ((struct bytes){ NULL, 0 })
/* For "%.*s" in an error: what somebody wrote, the beginning of it. */
#define BYTES_SHOWN(value) (int)MIN((value).len, (size_t)80), (value).data ? (value).data : ""

/* For string literals and for strings of our own; NULL gives BYTES_NULL. */
static inline struct bytes bytes_of(const char *s)
{
    return s ? (struct bytes){ s, strlen(s) } : BYTES_NULL;
}

static inline bool bytes_known(struct bytes b) /* empty is known; BYTES_NULL is not */
{
    return b.data != NULL;
}

static inline bool bytes_equal(struct bytes a, struct bytes b) /* what is empty equals what is not known */
{
    return a.len == b.len && (a.len == 0 || a.data == b.data || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_equal_str(struct bytes a, const char *s) /* s: ended by a NUL; NULL: equals what is empty */
{
    return bytes_equal(a, bytes_of(s));
}

static inline bool bytes_starts_with(struct bytes a, struct bytes prefix) /* with an empty one, everything does */
{
    return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.data, prefix.data, prefix.len) == 0);
}

static inline bool bytes_ends_with(struct bytes a, struct bytes suffix) /* with an empty one, everything does */
{
    return a.len >= suffix.len && (suffix.len == 0 || memcmp(a.data + a.len - suffix.len, suffix.data, suffix.len) == 0);
}

/* The first `c`; NULL: there is none, also in what is not known (memchr() takes no NULL). */
static inline const char *bytes_char(struct bytes b, char c)
{
    return b.len ? (const char *)memchr(b.data, c, b.len) : NULL;
}

/* What *rest begins with up to the first `separator`, or all of it; *rest is what follows the separator. */
static inline struct bytes bytes_next_field(struct bytes *rest, char separator)
{
    const char *end = bytes_char(*rest, separator);
    struct bytes field = { rest->data, end ? (size_t)(end - rest->data) : rest->len };
    size_t step = field.len + (end != NULL);

    *rest = (struct bytes){ rest->data ? rest->data + step : NULL, rest->len - step };
    return field;
}

/* The line that *rest begins with, without its end; *rest is what follows. */
static inline struct bytes bytes_next_line(struct bytes *rest)
{
    return bytes_next_field(rest, '\n');
}

/* The word that *rest begins with, behind spaces and tabs; it ends before one, or before the end of the line. Empty: there is
 * none. *rest is what follows. */
static inline struct bytes bytes_next_word(struct bytes *rest)
{
    size_t from = 0, to;
    struct bytes word;

    while (from < rest->len && (rest->data[from] == ' ' || rest->data[from] == '\t'))
        from++;
    to = from;
    while (to < rest->len && rest->data[to] != ' ' && rest->data[to] != '\t' && rest->data[to] != '\n')
        to++;
    word = (struct bytes){ rest->data ? rest->data + from : NULL, to - from };
    *rest = (struct bytes){ rest->data ? rest->data + to : NULL, rest->len - to };
    return word;
}

/* The component of a path that *rest begins with, behind slashes. Empty: there is none. *rest is what follows, with its slash. */
static inline struct bytes bytes_next_component(struct bytes *rest)
{
    const char *slash;
    struct bytes name;

    while (rest->len && rest->data[0] == '/')
        *rest = (struct bytes){ rest->data + 1, rest->len - 1 };
    slash = bytes_char(*rest, '/');
    name = (struct bytes){ rest->data, slash ? (size_t)(slash - rest->data) : rest->len };
    *rest = (struct bytes){ rest->data ? rest->data + name.len : NULL, rest->len - name.len };
    return name;
}

/* Is it one of `count` words? BYTES_AMONG: of an array of them. */
static inline bool bytes_is_among(struct bytes b, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal_str(b, words[i]))
            return true;
    return false;
}
#define BYTES_AMONG(b, words) bytes_is_among(b, words, ARRAY_SIZE(words))

/* At most `max` bytes of it; a character of UTF-8 is not cut in two. */
static inline struct bytes bytes_cut(struct bytes b, size_t max)
{
    if (b.len <= max)
        return b;
    for (b.len = max; b.len && max - b.len < 3 && ((unsigned char)b.data[b.len] & 0xc0) == 0x80; b.len--)
        ;
    return b;
}

static inline bool bytes_is_digit(char c) /* ASCII, whatever the locale */
{
    return c >= '0' && c <= '9';
}

/* Decimal digits and nothing else, one at least. */
static inline bool bytes_is_number(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (!bytes_is_digit(b.data[i]))
            return false;
    return b.len > 0;
}

/* ASCII letters, digits, '_', '.', '-' and nothing else, one at least: it means nothing to a shell or in a URL. */
static inline bool bytes_is_plain(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        char c = b.data[i], lower = c | 0x20;

        if (!(bytes_is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '_' || c == '.' || c == '-'))
            return false;
    }
    return b.len > 0;
}

/* What follows the last '/', or the whole. */
static inline struct bytes bytes_basename(struct bytes path)
{
    size_t i = path.len;

    while (i > 0 && path.data[i - 1] != '/')
        i--;
    return (struct bytes){ path.data ? path.data + i : NULL, path.len - i };
}

/* What precedes the last '/'; "/" for "/x"; {"", 0} where there is no '/'. */
static inline struct bytes bytes_dirname(struct bytes path)
{
    size_t i = path.len;

    while (i > 0 && path.data[i - 1] != '/')
        i--;
    if (i > 1)
        i--;
    return (struct bytes){ path.data, i };
}

/* The part of `path` below `dir`, which covers it, without slashes before it. */
static inline struct bytes bytes_path_below(struct bytes dir, struct bytes path)
{
    struct bytes rest = { path.data + dir.len, path.len - dir.len };

    while (rest.len && rest.data[0] == '/')
        rest = (struct bytes){ rest.data + 1, rest.len - 1 };
    return rest;
}

/* Is `part` somewhere in it? */
static inline bool bytes_has(struct bytes b, const char *part)
{
    return b.len && memmem(b.data, b.len, part, strlen(part)) != NULL;
}

/* True if `path` is `dir` or lies below it, by whole components. "/" covers every absolute path. */
static inline bool bytes_path_covers(struct bytes dir, struct bytes path)
{
    if (!bytes_starts_with(path, dir))
        return false;
    if (path.len == dir.len)
        return true;
    return path.data[dir.len] == '/' || (dir.len > 0 && dir.data[dir.len - 1] == '/');
}
