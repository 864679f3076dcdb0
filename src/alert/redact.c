/* SPDX-License-Identifier: MIT */
/* Texts. */
#include "alert/redact.h"

#include <stdlib.h>

#include "util/macro.h"

#define PEOPLE_MIN 1000
#define NOBODY 65534

void redact_set(struct redact *r, struct redact_rules rules)
{
    r->rules = rules;
    r->learned = true; /* what was redacted by other rules is so no more */
}

/* ---- names ---- */

static bool is_of_person(struct bytes name, uint32_t uid)
{
    if (!name.len || bytes_equal_str(name, "root"))
        return false;
    return uid == UID_UNKNOWN || (uid >= PEOPLE_MIN && uid != NOBODY);
}

static bool is_known(const struct redact *r, struct bytes name)
{
    for (size_t i = 0; i < r->name_count; i++)
        if (bytes_equal(name, (struct bytes){ r->names[i].text, r->names[i].len }))
            return true;
    return false;
}

static void learn_one(struct redact *r, struct bytes name)
{
    struct redact_name *to;

    if (!name.len || name.len > REDACT_NAME_MAX || is_known(r, name))
        return;
    if (!r->names && !(r->names = calloc(REDACT_NAMES_MAX, sizeof(*r->names))))
        return;
    to = &r->names[r->next_name];
    memcpy(to->text, name.data, name.len);
    to->len = name.len;
    r->next_name = (r->next_name + 1) % REDACT_NAMES_MAX;
    r->name_count = MIN(r->name_count + 1, (size_t)REDACT_NAMES_MAX);
    r->learned = true;
}

/* "DOMAIN\ann" and "ann@example.org" are ann elsewhere. */
void redact_learn(struct redact *r, struct bytes name, uint32_t uid)
{
    const char *at;

    if (!r->rules.users || !is_of_person(name, uid))
        return;
    learn_one(r, name);
    at = bytes_char(name, '@');
    if (at)
        learn_one(r, (struct bytes){ name.data, (size_t)(at - name.data) });
    at = bytes_char(name, '\\');
    if (at)
        learn_one(r, (struct bytes){ at + 1, (size_t)(name.data + name.len - at - 1) });
}

void redact_user(const struct redact *r, struct bytes name, uint32_t uid, struct sbuf *out)
{
    if (r->rules.users && is_of_person(name, uid))
        sbuf_add_str(out, REDACTED);
    else
        redact_text(r, name, out);
}

/* ---- texts ---- */

static bool is_word(char c)
{
    return bytes_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || (unsigned char)c >= 0x80;
}

/* The longest one: "ann-marie" is not "ann". 0: none begins there. */
static size_t name_at(const struct redact *r, struct bytes text, size_t at)
{
    size_t longest = 0;

    if (!r->rules.users || (at && is_word(text.data[at - 1])))
        return 0;
    for (size_t i = 0; i < r->name_count; i++) {
        const struct redact_name *n = &r->names[i];

        if (n->len > longest && n->len <= text.len - at && text.data[at] == n->text[0] && memcmp(text.data + at, n->text, n->len) == 0 &&
            (at + n->len == text.len || !is_word(text.data[at + n->len])))
            longest = n->len;
    }
    return longest;
}

/* ends: what a path, or a command line, has behind it. */
static size_t home_at(const struct redact *r, struct bytes text, size_t at, const char *ends)
{
    static const char home[] = "/home";
    size_t above = at, end = at;

    if (!r->rules.homes && !r->rules.users)
        return 0;
    while (above && text.data[above - 1] == '/')
        above--;
    if (above == at || !bytes_ends_with((struct bytes){ text.data, above }, bytes_of(home)))
        return 0;
    while (end < text.len && text.data[end] && !strchr(ends, text.data[end]))
        end++;
    return end - at;
}

static void add(const struct redact *r, struct bytes text, const char *ends, struct sbuf *out)
{
    for (size_t i = 0; i < text.len;) {
        size_t len = home_at(r, text, i, ends);

        if (!len)
            len = name_at(r, text, i);
        if (len)
            sbuf_add_str(out, REDACTED);
        else
            sbuf_add_char(out, text.data[i++]);
        i += len;
    }
}

void redact_path(const struct redact *r, struct bytes path, struct sbuf *out)
{
    add(r, path, "/", out);
}

void redact_text(const struct redact *r, struct bytes text, struct sbuf *out)
{
    add(r, text, "/ \t\n'\":;,|&<>()=", out);
}

/* Programs write what they do over their first argument: "sshd: ann [priv]". */
static size_t program_len(struct bytes args)
{
    size_t len = 0;

    while (len < args.len && args.data[len] && args.data[len] != ' ' && args.data[len] != '\t' && args.data[len] != '\n')
        len++;
    return len;
}

void redact_command(const struct redact *r, struct bytes args, struct sbuf *out)
{
    size_t len = program_len(args);

    if (!r->rules.arguments) {
        redact_text(r, args, out);
        return;
    }
    redact_text(r, (struct bytes){ args.data, len }, out);
    if (args.len > len + 1 || (args.len > len && args.data[len]))
        sbuf_add(out, "\0" REDACTED "\0", sizeof("\0" REDACTED "\0") - 1);
    else if (args.len > len)
        sbuf_add_char(out, '\0');
}
