/* SPDX-License-Identifier: MIT */
/* The values of a record's fields: numbers, texts, paths, keys, users. */
#include "search/items_values.h"

#include <ctype.h>
#include <libaudit.h>
#include <pwd.h>
#include <stdlib.h>

#include "util/hash_table.h"
#include "util/limits.h"
#include "util/macro.h"

/* ---- places ---- */

const char *place_find(const struct record_place *p, const char *from, const char *text)
{
    return from < p->end ? memmem(from, (size_t)(p->end - from), text, strlen(text)) : NULL;
}

/* strtoul() on text that has no NUL of its own. False where it would set errno. */
static bool to_number(const char *from, const char *end, int base, unsigned long *ret)
{
    unsigned long v = 0;
    bool negative = false;

    while (from < end && isspace((unsigned char)*from))
        from++;
    if (from < end && (*from == '-' || *from == '+'))
        negative = *from++ == '-';
    if ((base == 16 || base == 0) && end - from > 2 && from[0] == '0' && (from[1] | 0x20) == 'x' &&
        isxdigit((unsigned char)from[2])) {
        from += 2;
        base = 16;
    } else if (base == 0) {
        base = from < end && *from == '0' ? 8 : 10;
    }
    for (; from < end; from++) {
        int digit = isdigit((unsigned char)*from)   ? *from - '0'
                    : isxdigit((unsigned char)*from) ? (*from | 0x20) - 'a' + 10
                                                     : 99;

        if (digit >= base)
            break;
        if (__builtin_mul_overflow(v, (unsigned long)base, &v) ||
            __builtin_add_overflow(v, (unsigned long)digit, &v))
            return false;
    }
    *ret = negative ? -v : v;
    return true;
}

bool place_word(struct record_place *p, const char *value, struct bytes *ret)
{
    const char *space = value < p->end ? memchr(value, ' ', (size_t)(p->end - value)) : NULL;

    if (!space)
        return false;
    *ret = (struct bytes){ value, (size_t)(space - value) };
    p->at = space;
    return true;
}

bool place_number_at(struct record_place *p, const char *value, int base, bool may_end, unsigned long *ret)
{
    struct bytes word;

    if (!place_word(p, value, &word)) {
        if (!may_end)
            return false;
        word = (struct bytes){ value, (size_t)(p->end - value) };
        p->at = value;
    }
    return to_number(word.data, word.data + word.len, base, ret);
}

enum number_result place_number(struct record_place *p, const char *name, int base, bool may_end,
                                unsigned long *ret)
{
    const char *found = place_find(p, p->at, name);

    if (!found)
        return NUMBER_MISSING;
    return place_number_at(p, found + strlen(name), base, may_end, ret) ? NUMBER_READ : NUMBER_BAD;
}

/* ---- strings ---- */

struct bytes items_keep(struct search_items *items, struct bytes text)
{
    char *to;

    if (!text.data)
        return text;
    /* grown between events only: views into it must stay valid */
    if (items->text_size - items->text_len < text.len + 1) {
        items->failed = true;
        return BYTES_NULL;
    }
    to = items->text + items->text_len;
    memcpy(to, text.data, text.len);
    items->text_len += text.len;
    return (struct bytes){ to, text.len };
}

void items_add(struct search_items *items, struct search_strings *list, struct bytes text)
{
    if (list->count == list->size) {
        unsigned size = list->size ? list->size * 2 : 16;
        struct bytes *grown = realloc(list->items, size * sizeof(*grown));

        if (!grown) {
            items->failed = true;
            return;
        }
        list->items = grown;
        list->size = size;
    }
    list->items[list->count++] = text;
}

int items_hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Leading hexadecimal digits, or "(...)"; BYTES_NULL if there are none. */
static struct bytes items_unhex(struct search_items *items, const char *value, const char *end)
{
    const char *p = value;
    struct bytes out;
    char *to;

    if (p < end && *p == '(') {
        p = memchr(p, ')', (size_t)(end - p));
        return p ? (struct bytes){ value, (size_t)(p + 1 - value) } : BYTES_NULL;
    }
    while (p < end && isxdigit((unsigned char)*p))
        p++;
    if (p - value < 2)
        return BYTES_NULL;
    out = items_keep(items, (struct bytes){ value, (size_t)(p - value) });
    if (!out.data)
        return out;
    to = items->text + (out.data - items->text);
    for (size_t i = 0; i + 1 < out.len; i += 2)
        to[i / 2] = (char)(items_hex(value[i]) << 4 | items_hex(value[i + 1]));
    /* what others compare as a C string ends at a NUL */
    out.len /= 2;
    out.len = strnlen(out.data, out.len);
    return out;
}

bool items_text(struct search_items *items, struct record_place *p, const char *value, struct bytes *ret)
{
    if (value < p->end && *value == '"') {
        const char *quote = memchr(value + 1, '"', (size_t)(p->end - value - 1));

        if (!quote)
            return false;
        *ret = (struct bytes){ value + 1, (size_t)(quote - value - 1) };
        p->at = quote;
        return true;
    }
    *ret = items_unhex(items, value, p->end);
    return true;
}

bool items_text_or_word(struct search_items *items, struct record_place *p, const char *value, struct bytes *ret)
{
    const char *end = value;
    bool hex = true;

    if (value < p->end && *value == '"')
        return items_text(items, p, value, ret);
    for (; end < p->end && *end != ' '; end++)
        hex = hex && isxdigit((unsigned char)*end);
    p->at = end;
    *ret = hex ? items_unhex(items, value, p->end) : (struct bytes){ value, (size_t)(end - value) };
    return true;
}

/* "./x" and "../x" are completed by the working directory, if it is known by then. */
static struct bytes joined(struct search_items *items, struct bytes name)
{
    struct bytes all;

    if (name.len < 2 || name.data[0] != '.' || (name.data[1] != '.' && name.data[1] != '/') ||
        !items->cwd.data)
        return name;
    all = items_keep(items, items->cwd);
    items_keep(items, (struct bytes){ "/", 1 });
    items_keep(items, name);
    if (items->failed)
        return name;
    all.len = items->cwd.len + 1 + name.len;
    return all;
}

bool items_path(struct search_items *items, struct record_place *p, const char *value)
{
    struct bytes name;

    if (value >= p->end)
        return false;
    if (*value == '"') {
        const char *quote = memchr(value + 1, '"', (size_t)(p->end - value - 1));

        if (!quote)
            return false;
        name = (struct bytes){ value + 1, (size_t)(quote - value - 1) };
    } else if (p->end - value >= 6 && memcmp(value, "(null)", 6) == 0) {
        items_add(items, &items->files, (struct bytes){ "(null)", 6 });
        return true;
    } else if (!isxdigit((unsigned char)*value)) {
        return false;
    } else if (p->end - value >= 2 && value[0] == '0' && value[1] == '0') {
        name = items_unhex(items, value + 2, p->end); /* an abstract socket's name */
    } else {
        const char *space = memchr(value, ' ', (size_t)(p->end - value));

        if (!space)
            return false;
        name = items_unhex(items, value, space);
    }
    if (!name.data)
        return false;
    items_add(items, &items->files, joined(items, name));
    return true;
}

bool items_keys(struct search_items *items, struct record_place *p, const char *value)
{
    struct bytes text;

    if (!items_text(items, p, value, &text) || !text.data)
        return false;
    if (*value == '"') {
        items_add(items, &items->keys, text);
        return true;
    }
    for (size_t i = 0; i < text.len;) { /* several keys are joined by 0x01 */
        const char *stop = memchr(text.data + i, AUDIT_KEY_SEPARATOR, text.len - i);
        size_t len = stop ? (size_t)(stop - text.data) - i : text.len - i;

        if (len)
            items_add(items, &items->keys, (struct bytes){ text.data + i, len });
        i += len + 1;
    }
    return true;
}

/* ---- users ---- */

struct user_name {
    UT_hash_handle hh;
    uint32_t uid;
    char *name; /* NULL: nobody */
};

struct search_users {
    struct user_name *table;
};

struct search_users *search_users_new(void)
{
    return calloc(1, sizeof(struct search_users));
}

void search_users_free(struct search_users *users)
{
    struct user_name *u, *next;

    if (!users)
        return;
    HASH_ITER(hh, users->table, u, next)
    {
        HASH_DEL(users->table, u);
        free(u->name);
        free(u);
    }
    free(users);
}

static struct bytes user_name(struct search_users *users, uint32_t uid)
{
    struct user_name *u;
    struct passwd *pw;

    if (uid == 0)
        return (struct bytes){ "root", 4 };
    if (uid == UINT32_MAX)
        return (struct bytes){ "unset", 5 };
    HASH_FIND(hh, users->table, &uid, sizeof(uid), u);
    if (u)
        return bytes_of(u->name);
    pw = getpwuid(uid);
    u = calloc(1, sizeof(*u));
    if (!u)
        return BYTES_NULL;
    u->uid = uid;
    u->name = pw ? strdup(pw->pw_name) : NULL;
    HASH_ADD(hh, users->table, uid, sizeof(u->uid), u);
    if (!HASH_IS_IN(hh, u)) {
        free(u->name);
        free(u);
        return BYTES_NULL;
    }
    return bytes_of(u->name);
}

/* The name that auditd wrote beside the number, on the machine that the log is of; else ours. */
struct bytes reading_user(struct record_reading *r, const char *field, uint32_t uid)
{
    struct bytes interp = r->items->interp;
    size_t n = strlen(field);

    for (size_t i = 0; interp.data && i + n + 1 < interp.len; i++) {
        if ((i > 0 && interp.data[i - 1] != ' ') || strncasecmp(interp.data + i, field, n) != 0 ||
            interp.data[i + n] != '=')
            continue;
        const char *value = interp.data + i + n + 1, *end = interp.data + interp.len, *stop;

        if (value < end && *value == '"') {
            value++;
            stop = memchr(value, '"', (size_t)(end - value));
        } else {
            stop = memchr(value, ' ', (size_t)(end - value));
        }
        return (struct bytes){ value, (size_t)((stop ? stop : end) - value) };
    }
    return user_name(r->users, uid);
}

void reading_set_uid(struct record_reading *r, uint32_t uid)
{
    r->items->uid = uid;
    r->items->uid_name = reading_user(r, "uid", uid);
}

void reading_set_auid(struct record_reading *r, uint32_t auid)
{
    r->items->auid = auid;
    r->items->auid_name = reading_user(r, "auid", auid);
}

bool wants_auid(const struct search_query *q)
{
    return q->has_auid || q->auid_name;
}

bool wants_uid(const struct search_query *q)
{
    return q->has_uid || q->uid_name;
}

bool wants_euid(const struct search_query *q)
{
    return q->has_euid || q->euid_name;
}
