/* SPDX-License-Identifier: MIT */
#include "clues/yaml_lines.h"

#include "util/macro.h"

struct yaml_reader {
    void (*each)(void *, const struct yaml_node *);
    void *data;
    struct yaml_level levels[YAML_DEPTH];
    size_t depth;
    unsigned line;
    bool in_text; /* of several lines: all that is indented farther than text_indent */
    size_t text_indent;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes trimmed(struct bytes b)
{
    while (b.len && is_blank(b.data[0]))
        b = (struct bytes){ b.data + 1, b.len - 1 };
    while (b.len && is_blank(b.data[b.len - 1]))
        b.len--;
    return b;
}

/* Does a quotation begin at `at`? In the middle of a word it is a character as others. */
static bool opens_quote(struct bytes b, size_t at)
{
    return (b.data[at] == '"' || b.data[at] == '\'') && (at == 0 || strchr(" \t[{,:-", b.data[at - 1]));
}

/* The first place outside of quotations where `is` says so; the length: there is none. */
static size_t find_outside(struct bytes b, bool (*is)(struct bytes b, size_t at))
{
    char quote = '\0';

    for (size_t i = 0; i < b.len; i++) {
        if (quote)
            quote = b.data[i] == quote ? '\0' : quote;
        else if (opens_quote(b, i))
            quote = b.data[i];
        else if (is(b, i))
            return i;
    }
    return b.len;
}

static bool is_comment(struct bytes b, size_t at)
{
    return b.data[at] == '#' && (at == 0 || is_blank(b.data[at - 1]));
}

static bool is_colon(struct bytes b, size_t at)
{
    return b.data[at] == ':' && (at + 1 == b.len || is_blank(b.data[at + 1]));
}

static bool is_comma(struct bytes b, size_t at)
{
    return b.data[at] == ',';
}

static bool is_bracket(struct bytes b, size_t at)
{
    return strchr("[]{}", b.data[at]) && b.data[at];
}

static void put(struct yaml_reader *r, struct bytes value, const char *unclear)
{
    const struct yaml_node node = { r->levels, r->depth, value, r->line, unclear };

    r->each(r->data, &node);
}

static void push(struct yaml_reader *r, size_t indent, struct bytes key, unsigned item)
{
    if (r->depth == YAML_DEPTH) {
        put(r, BYTES_NULL, "more levels than are looked at");
        return;
    }
    r->levels[r->depth++] = (struct yaml_level){ indent, key, item };
}

static void pop_from(struct yaml_reader *r, size_t indent)
{
    while (r->depth && r->levels[r->depth - 1].indent >= indent)
        r->depth--;
}

/* Without its quotation marks; false: it has escapes, or no end. */
static bool unquote(struct bytes *b)
{
    struct bytes inner;

    if (!b->len || (b->data[0] != '"' && b->data[0] != '\''))
        return true;
    if (b->len < 2 || b->data[b->len - 1] != b->data[0])
        return false;
    inner = (struct bytes){ b->data + 1, b->len - 2 };
    if (bytes_char(inner, b->data[0]) || (b->data[0] == '"' && bytes_char(inner, '\\')))
        return false;
    *b = inner;
    return true;
}

static void put_scalar(struct yaml_reader *r, struct bytes value)
{
    static const struct {
        char first;
        const char *says;
    } marks[] = { { '&', "an anchor" }, { '*', "an alias" }, { '!', "a tag" }, { '?', "a key of its own line" } };

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (value.len && value.data[0] == marks[i].first) {
            put(r, BYTES_NULL, marks[i].says);
            return;
        }
    if (!unquote(&value))
        put(r, BYTES_NULL, "a quotation with escapes, or without an end");
    else
        put(r, value, NULL);
}

static bool split_key(struct bytes b, struct bytes *key, struct bytes *value)
{
    size_t at;

    if (!b.len || b.data[0] == '{' || b.data[0] == '[')
        return false;
    at = find_outside(b, is_colon);
    if (at == b.len)
        return false;
    *key = trimmed((struct bytes){ b.data, at });
    *value = trimmed((struct bytes){ b.data + at + 1, b.len - at - 1 });
    return unquote(key);
}

/* "[a, b]", "{ a: b, c: d }", "{}": on one line and of one level. */
static void put_collection(struct yaml_reader *r, struct bytes value, size_t indent)
{
    char close = value.data[0] == '[' ? ']' : '}';
    struct bytes inner = { value.data + 1, value.len - 1 };
    unsigned n = 0;
    size_t depth = r->depth;

    if (value.data[value.len - 1] != close || find_outside(inner, is_bracket) != inner.len - 1) {
        put(r, BYTES_NULL, "a collection in brackets of several lines or levels");
        return;
    }
    inner.len--;
    put(r, BYTES_NULL, NULL);
    while (inner.len) {
        size_t at = find_outside(inner, is_comma);
        struct bytes part = trimmed((struct bytes){ inner.data, at }), key = BYTES_NULL, of = part;
        bool has_key = split_key(part, &key, &of);

        inner = (struct bytes){ inner.data + MIN(at + 1, inner.len), inner.len - MIN(at + 1, inner.len) };
        if (!part.len)
            continue;
        if (has_key != (close == '}')) {
            put(r, BYTES_NULL, "what is in a collection in brackets");
            continue;
        }
        push(r, indent + 1, key, close == ']' ? ++n : 0);
        put_scalar(r, of);
        r->depth = depth;
    }
}

static void put_value(struct yaml_reader *r, struct bytes value, size_t indent)
{
    if (!value.len) {
        put(r, BYTES_NULL, NULL);
    } else if (value.data[0] == '|' || value.data[0] == '>') {
        r->in_text = true;
        r->text_indent = indent;
        put(r, BYTES_NULL, NULL);
    } else if (value.data[0] == '[' || value.data[0] == '{') {
        put_collection(r, value, indent);
    } else {
        put_scalar(r, value);
    }
}

/* The dashes that a line begins with, each an item of a sequence; *indent is that of what follows. */
static bool take_dashes(struct yaml_reader *r, struct bytes *rest, size_t *indent)
{
    bool any = false;

    while (rest->len && rest->data[0] == '-' && (rest->len == 1 || is_blank(rest->data[1]))) {
        struct bytes after = trimmed((struct bytes){ rest->data + 1, rest->len - 1 });
        unsigned item = 0;

        pop_from(r, *indent + 1);
        if (r->depth && r->levels[r->depth - 1].indent == *indent && r->levels[r->depth - 1].item)
            item = r->levels[--r->depth].item;
        push(r, *indent, BYTES_NULL, item + 1);
        *indent += after.len ? (size_t)(after.data - rest->data) : 1;
        *rest = after;
        any = true;
    }
    return any;
}

static void take_line(struct yaml_reader *r, struct bytes line)
{
    struct bytes rest, key, value;
    size_t indent = 0;
    bool item;

    while (indent < line.len && line.data[indent] == ' ')
        indent++;
    if (r->in_text && (indent > r->text_indent || !trimmed(line).len))
        return;
    r->in_text = false;
    line.len = find_outside(line, is_comment);
    rest = trimmed(line);
    if (!rest.len || (line.data[0] == '%'))
        return;
    if (line.data[0] != ' ' && (bytes_equal_str(rest, "---") || bytes_equal_str(rest, "..."))) {
        r->depth = 0;
        put(r, BYTES_NULL, NULL);
        return;
    }
    if (line.data[indent] == '\t') {
        put(r, BYTES_NULL, "a tab that indents");
        return;
    }
    item = take_dashes(r, &rest, &indent);
    if (split_key(rest, &key, &value)) {
        pop_from(r, indent);
        push(r, indent, key, 0);
        if (bytes_equal_str(key, "<<"))
            put(r, BYTES_NULL, "a merge");
        else
            put_value(r, value, indent);
    } else if (item) {
        put_value(r, rest, indent);
    } else {
        put(r, BYTES_NULL, "a line that is no key and no item");
    }
}

void yaml_read(struct bytes text, void (*each)(void *data, const struct yaml_node *node), void *data)
{
    struct yaml_reader r = { .each = each, .data = data };

    while (text.len) {
        struct bytes line = bytes_next_line(&text);

        r.line++;
        take_line(&r, line);
    }
}

struct bytes yaml_key(const struct yaml_node *node, size_t level)
{
    return level < node->depth && !node->levels[level].item ? node->levels[level].key : BYTES_NULL;
}
