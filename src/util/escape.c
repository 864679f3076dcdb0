/* SPDX-License-Identifier: MIT */
#include "util/escape.h"

#include <stdio.h>
#include <string.h>

#include "util/width.h"

unsigned utf8_decode(struct bytes b, uint32_t *ret_code_point)
{
    const unsigned char *p = (const unsigned char *)b.data;
    uint32_t c;
    unsigned n;

    if (b.len == 0)
        return 0;
    if (p[0] < 0x80) {
        *ret_code_point = p[0];
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;
        c = p[0] & 0x1fu;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        n = 3;
        c = p[0] & 0x0fu;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        c = p[0] & 0x07u;
    } else {
        return 0;
    }
    if (b.len < n)
        return 0;
    for (unsigned i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = (c << 6) | (p[i] & 0x3fu);
    }
    if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
        (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret_code_point = c;
    return n;
}

/* Code points that move the cursor, end a line, reorder or hide text: a path must not do that. */
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x061c || c == 0x180e ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe007f);
}

/* Characters that have an escape of two, in our text and in JSON; NULL: it has none. */
static const char *short_escape(uint32_t c)
{
    switch (c) {
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\t':
        return "\\t";
    case '\r':
        return "\\r";
    default:
        return NULL;
    }
}

/* Write the first character of `b` safely; returns how many bytes of `b` it took. */
static unsigned add_safe(struct sbuf *out, struct bytes b)
{
    uint32_t c = 0;
    unsigned n = utf8_decode(b, &c);

    if (n == 0) {
        sbuf_addf(out, "\\x%02x", (unsigned char)b.data[0]);
        return 1;
    }
    if (short_escape(c))
        sbuf_add_str(out, short_escape(c));
    else if (is_unsafe(c) && c < 0x80)
        sbuf_addf(out, "\\x%02x", c);
    else if (is_unsafe(c))
        sbuf_addf(out, "\\u{%x}", c);
    else
        sbuf_add(out, b.data, n);
    return n;
}

static struct bytes skip(struct bytes b, size_t n)
{
    return n ? (struct bytes){ b.data + n, b.len - n } : b; /* NULL + 0 is undefined in C */
}

#define EACH(byte) (0x0101010101010101ull * (byte)) /* that byte eight times */

static uint64_t eight(const char *s)
{
    uint64_t word;

    memcpy(&word, s, sizeof(word));
    return word;
}

/* What means itself, on a terminal and in JSON. */
static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '\\' && c != '"';
}

/* The same of eight bytes: each sum has its byte's highest bit if the byte is not plain. What is carried to a
 * neighbour comes from a byte that is not plain, so the answer for all of them is right. */
static bool are_plain(uint64_t word)
{
    uint64_t control = word - EACH(0x20), delete = word + EACH(1);
    uint64_t backslash = (word ^ EACH('\\')) - EACH(1), quote = (word ^ EACH('"')) - EACH(1);

    return ((word | control | delete | backslash | quote) & EACH(0x80)) == 0;
}

/* The last bytes of at least four, if they are plain: words that overlap what was copied before. */
static bool copy_end(char *to, struct bytes b)
{
    uint32_t first, last;
    uint64_t word;

    if (b.len >= 8) {
        word = eight(b.data + b.len - 8);
        memcpy(to + b.len - 8, &word, sizeof(word));
        return are_plain(word);
    }
    memcpy(&first, b.data, sizeof(first));
    memcpy(&last, b.data + b.len - sizeof(last), sizeof(last));
    memcpy(to, &first, sizeof(first));
    memcpy(to + b.len - sizeof(last), &last, sizeof(last));
    return are_plain((uint64_t)last << 32 | first);
}

/* Copies what is plain at the beginning, nearly all, and returns how much that is; `to` has room for all. */
static size_t copy_plain(char *to, struct bytes b)
{
    size_t n = 0;

    for (; b.len - n >= 8; n += 8) {
        uint64_t word = eight(b.data + n);

        if (!are_plain(word))
            break;
        memcpy(to + n, &word, sizeof(word));
    }
    if (b.len >= 4 && b.len - n < 8 && (n == b.len || copy_end(to, b)))
        return b.len;
    for (; n < b.len && is_plain(b.data[n]); n++)
        to[n] = b.data[n];
    return n;
}

static struct bytes add_plain(struct sbuf *out, struct bytes b)
{
    char *to = out->size - out->len > b.len ? out->data + out->len : sbuf_room(out, b.len);
    size_t n = b.len;

    if (to) {
        n = copy_plain(to, b);
        out->len += n;
        to[n] = '\0';
    }
    return skip(b, n);
}

void escape_terminal(struct sbuf *out, struct bytes b)
{
    while ((b = add_plain(out, b)).len)
        b = skip(b, add_safe(out, b));
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Code points; each of them is a column where none is wider. */
static unsigned code_points(struct bytes text, bool *ret_ascii)
{
    uint64_t seen = 0;
    size_t n = text.len, i = 0;

    for (; text.len - i >= 8; i += 8) {
        uint64_t word = eight(text.data + i);
        uint64_t continuing = (word >> 7) & (~word >> 6) & EACH(1);

        seen |= word;
        n -= (continuing * EACH(1)) >> 56; /* their sum, in the highest byte */
    }
    for (; i < text.len; i++) {
        seen |= (unsigned char)text.data[i];
        n -= continues(text.data[i]);
    }
    *ret_ascii = !(seen & EACH(0x80));
    return (unsigned)n;
}

/* Length and columns of the character at the beginning. */
static unsigned one_character(struct bytes text, unsigned *ret_columns)
{
    uint32_t code;
    unsigned n = utf8_decode(text, &code);

    *ret_columns = n ? width_of(code) : 1;
    return n ? n : 1;
}

unsigned escape_columns(struct bytes text)
{
    bool ascii;
    unsigned columns = code_points(text, &ascii), width;

    if (ascii)
        return columns;
    for (columns = 0; text.len; columns += width)
        text = skip(text, one_character(text, &width));
    return columns;
}

unsigned escape_columns_from(const struct sbuf *out, size_t from)
{
    return escape_columns((struct bytes){ sbuf_str(out) + from, out->len - from });
}

void escape_pad(struct sbuf *out, size_t from, unsigned columns)
{
    unsigned has = escape_columns_from(out, from);

    if (has < columns)
        sbuf_fill(out, ' ', columns - has);
}

unsigned escape_terminal_width(struct bytes b)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    escape_terminal(&text, b);
    return escape_columns(sbuf_bytes(&text));
}

/* The path without its middle. */
static void add_cut(struct sbuf *out, struct bytes path, unsigned columns)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    unsigned name_width = escape_terminal_width(bytes_basename(path)) + 1; /* with its slash */
    unsigned head, width;
    size_t at = 0;

    escape_terminal(&text, path);
    if (name_width + 2 > columns)
        name_width = columns > 3 ? columns - 2 : 1; /* even the name does not fit: keep its end */
    head = columns - name_width - 1;
    for (unsigned n = 0; at < text.len; n += width) {
        unsigned length = one_character((struct bytes){ text.data + at, text.len - at }, &width);

        if (n + width > head)
            break;
        at += length;
    }
    sbuf_add(out, text.data, at);
    sbuf_add_str(out, "…");
    at = text.len;
    for (unsigned n = 0; at > 0; n += width) {
        size_t before = at - 1;

        while (before > 0 && continues(text.data[before]))
            before--;
        (void)one_character((struct bytes){ text.data + before, at - before }, &width);
        if (n + width > name_width)
            break;
        at = before;
    }
    sbuf_add(out, text.data + at, text.len - at);
}

void escape_terminal_path(struct sbuf *out, struct bytes path, unsigned columns)
{
    size_t from = out->len;

    escape_terminal(out, path);
    if (columns && escape_columns_from(out, from) > columns) {
        sbuf_truncate(out, from);
        add_cut(out, path, columns);
    }
}

/* Length of the maximal subpart of an ill-formed sequence (Unicode 15, section 3.9, U+FFFD). */
static unsigned invalid_length(struct bytes b)
{
    const unsigned char *p = (const unsigned char *)b.data;
    unsigned want, n = 1;
    unsigned char low = 0x80, high = 0xbf;

    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        want = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        want = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        want = 4;
    else
        return 1;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    while (n < want && n < b.len && p[n] >= low && p[n] <= high) {
        n++;
        low = 0x80;
        high = 0xbf;
    }
    return n;
}

static const char hex_digits[] = "0123456789abcdef";

static void add_utf16(struct sbuf *out, uint32_t unit)
{
    char text[] = { '\\', 'u', hex_digits[unit >> 12], hex_digits[unit >> 8 & 0xf], hex_digits[unit >> 4 & 0xf],
                    hex_digits[unit & 0xf] };

    sbuf_add(out, text, sizeof(text));
}

/* A character that is not plain, of n bytes at `text`. */
static void add_json_character(struct sbuf *out, uint32_t c, const char *text, unsigned n)
{
    if (c == '"')
        sbuf_add_str(out, "\\\"");
    else if (short_escape(c))
        sbuf_add_str(out, short_escape(c));
    else if (is_unsafe(c) && c <= 0xffff)
        add_utf16(out, c);
    else if (is_unsafe(c)) {
        add_utf16(out, 0xd800 + ((c - 0x10000) >> 10));
        add_utf16(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
    } else {
        sbuf_add(out, text, n);
    }
}

bool escape_json_words(struct sbuf *out, struct bytes b, const char *between)
{
    bool replaced = false;

    sbuf_add_char(out, '"');
    while ((b = add_plain(out, b)).len) {
        uint32_t c = 0;
        unsigned n = utf8_decode(b, &c);

        if (n == 0) {
            sbuf_add_str(out, "\xef\xbf\xbd");
            n = invalid_length(b);
            replaced = true;
        } else if (c == 0 && between) {
            sbuf_add_str(out, between);
        } else {
            add_json_character(out, c, b.data, n);
        }
        b = skip(b, n);
    }
    sbuf_add_char(out, '"');
    return replaced;
}

bool escape_json(struct sbuf *out, struct bytes b)
{
    char *to;

    /* nearly always there is room and it is plain */
    if (out->size - out->len <= b.len + 2)
        return escape_json_words(out, b, NULL);
    to = out->data + out->len;
    if (copy_plain(to + 1, b) < b.len)
        return escape_json_words(out, b, NULL);
    to[0] = to[b.len + 1] = '"';
    to[b.len + 2] = '\0';
    out->len += b.len + 2;
    return false;
}

void escape_hex(struct sbuf *out, struct bytes b)
{
    char *to = sbuf_room(out, 2 * b.len);

    if (!to)
        return;
    for (size_t i = 0; i < b.len; i++) {
        *to++ = hex_digits[(unsigned char)b.data[i] >> 4];
        *to++ = hex_digits[b.data[i] & 0xf];
    }
    sbuf_added(out, 2 * b.len);
}

/* What means something to SGML's children; NULL: nothing. */
static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void escape_above_ascii(struct sbuf *out, struct bytes b)
{
    while (b.len) {
        size_t n = 0;

        while (n < b.len && (unsigned char)b.data[n] < 0x7f)
            n++;
        sbuf_add(out, b.data, n);
        b = skip(b, n);
        if (b.len)
            b = skip(b, add_safe(out, b));
    }
}

void escape_xml(struct sbuf *out, struct bytes b)
{
    while (b.len) {
        const char *text = entity(b.data[0]);
        uint32_t c = 0;
        unsigned n = 1;

        if (text)
            sbuf_add_str(out, text);
        else if (memchr("\n\t\\", b.data[0], 3))
            sbuf_add_char(out, b.data[0]);
        else if ((n = utf8_decode(b, &c)) == 3 && (c == 0xfffe || c == 0xffff))
            sbuf_addf(out, "\\u{%x}", c);
        else
            n = add_safe(out, b);
        b = skip(b, n);
    }
}

void escape_shell(struct sbuf *out, struct bytes b)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+./:,@%^=";
    bool quote = b.len == 0, unsafe = false;

    for (struct bytes rest = b; rest.len;) {
        uint32_t c = 0;
        unsigned n = utf8_decode(rest, &c);

        if (n == 0 || is_unsafe(c))
            unsafe = true;
        if (n != 1 || !memchr(plain, rest.data[0], sizeof(plain) - 1))
            quote = true;
        rest = skip(rest, n ? n : 1);
    }
    if (!quote && !unsafe) {
        sbuf_add_bytes(out, b);
        return;
    }
    sbuf_add_str(out, unsafe ? "$'" : "'");
    while (b.len) {
        uint32_t c = 0;
        unsigned n = utf8_decode(b, &c);

        if (n == 0 || (unsafe && is_unsafe(c))) {
            for (unsigned i = 0; i < (n ? n : 1); i++)
                sbuf_addf(out, "\\x%02x", (unsigned char)b.data[i]);
        } else if (unsafe && (c == '\'' || c == '\\')) {
            sbuf_addf(out, "\\%c", (char)c);
        } else if (c == '\'') {
            sbuf_add_str(out, "'\\''");
        } else {
            sbuf_add(out, b.data, n);
        }
        b = skip(b, n ? n : 1);
    }
    sbuf_add_char(out, '\'');
}
