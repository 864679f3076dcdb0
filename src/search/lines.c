/* SPDX-License-Identifier: MIT */
#include "search/lines.h"

#include <errno.h>
#include <libaudit.h>
#include <stdlib.h>

#include "sensor/audit/record.h"
#include "util/limits.h"
#include "util/macro.h"

void search_lines_done(struct search_lines *l)
{
    free(l->lines);
    *l = (struct search_lines){ 0 };
}

static bool take_number(const char **p, const char *end, uint64_t *ret)
{
    const char *s = *p;
    uint64_t v = 0;

    while (s < end && *s >= '0' && *s <= '9') {
        if (s - *p >= 18 && (__builtin_mul_overflow(v, 10, &v) ||
                             __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v)))
            return false;
        if (s - *p < 18)
            v = v * 10 + (uint64_t)(*s - '0');
        s++;
    }
    if (s == *p)
        return false;
    *p = s;
    *ret = v;
    return true;
}

/* What ausearch makes of "SECONDS.MILLISECONDS:SERIAL)". */
static bool read_stamp(const char *p, const char *end, struct search_line *line)
{
    uint64_t milli = 0;

    if (!take_number(&p, end, &line->sec) || line->sec > INT64_MAX / 2)
        return false;
    if (p < end && *p == '.') {
        p++;
        if (!take_number(&p, end, &milli) || milli > 999)
            return false;
    }
    line->serial = 0;
    if (p < end && *p == ':') {
        p++;
        if (!take_number(&p, end, &line->serial))
            return false;
    }
    line->milli = (uint16_t)milli;
    line->cut = !(p < end && *p == ')') || !line->serial || !line->sec;
    return true;
}

static int type_of(const char *name, size_t len)
{
    unsigned type = audit_type_by_name((struct bytes){ name, len });

    return type ? (int)type : -1;
}

/* The line before: neighbours are nearly always of the same event. */
struct before {
    const char *stamp; /* in the same block */
    size_t stamp_len;
    bool known, in_time;
    struct search_line line;
};

/* 1: a record; 0: out of the time asked for; -EBADMSG. */
static int read_line(const char *start, const char *end, const struct search_lines_options *o,
                     struct before *before, struct search_line *line)
{
    const char *p = start, *space, *name, *stamp;
    size_t name_len;

    line->node_len = 0;
    line->node_at = 0;
    if (*p == 'n') {
        if (end - p < 5 || memcmp(p, "node=", 5) != 0)
            return -EBADMSG;
        space = memchr(p, ' ', (size_t)MIN(end - p, 340));
        if (!space)
            return -EBADMSG;
        line->node_at = 5;
        line->node_len = (uint32_t)(space - p - 5);
        p = space;
        while (p < end && *p == ' ')
            p++;
    }
    if (end - p < 24 || memcmp(p, "type=", 5) != 0)
        return -EBADMSG;
    name = p + 5;
    for (p = name; p < end && *p != ' '; p++)
        ;
    name_len = (size_t)(p - name);
    while (p < end && *p == ' ')
        p++;
    if (end - p < 18 || memcmp(p, "msg=", 4) != 0)
        return -EBADMSG;
    stamp = p + 4;
    if (memcmp(stamp, "audit(", 6) == 0) {
        stamp += 6;
    } else {
        const char *open = memchr(stamp, '(', (size_t)MIN(end - stamp, 40));

        if (!open)
            return -EBADMSG;
        stamp = open + 1;
    }
    line->type = type_of(name, name_len);
    line->same = false;
    if (before->known && line->node_len == 0 && (size_t)(end - stamp) > before->stamp_len &&
        memcmp(stamp, before->stamp, before->stamp_len) == 0) {
        line->sec = before->line.sec;
        line->milli = before->line.milli;
        line->serial = before->line.serial;
        line->cut = before->line.cut;
        line->same = true;
        return before->in_time;
    }
    if (!read_stamp(stamp, end, line))
        return -EBADMSG;
    {
        const char *close = memchr(stamp, ')', (size_t)MIN(end - stamp, 64));

        before->known = close != NULL && line->node_len == 0;
        before->stamp = stamp;
        before->stamp_len = close ? (size_t)(close + 1 - stamp) : 0;
    }
    before->in_time = !(o->start_s && line->sec < o->start_s) && !(o->end_s && line->sec > o->end_s);
    return before->in_time;
}

static bool is_wanted_type(const struct search_lines_options *o, int type)
{
    for (unsigned i = 0; i < o->type_count; i++)
        if (o->types[i] == type)
            return true;
    return false;
}

static void mark_hits(struct bytes text, const struct needle_form *form, struct search_lines *ret)
{
    const char *end = text.data + text.len, *p = text.data;
    uint32_t i = 0;

    while (i < ret->count && (p = needle_find(form, p, end))) {
        size_t at = (size_t)(p - text.data);

        while (i < ret->count && ret->lines[i].offset + ret->lines[i].len <= at)
            i++;
        if (i == ret->count)
            break;
        if (ret->lines[i].offset <= at) {
            ret->lines[i].hit = true;
            p = text.data + ret->lines[i].offset + ret->lines[i].len;
        } else {
            p = text.data + ret->lines[i].offset; /* in a line that is not in the table */
        }
    }
}

int search_lines_read(struct bytes text, const struct search_lines_options *o,
                      struct search_lines *ret)
{
    const char *end = text.data + text.len;
    struct before before = { 0 };
    bool by_type = o->needle->count == 0 && o->type_count > 0;
    bool all = o->needle->count == 0 && o->type_count == 0;

    ret->count = 0;
    ret->damaged = 0;
    for (const char *p = text.data; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *stop = newline ? newline : end;
        const char *next = newline ? newline + 1 : end, *nul;
        struct search_line *line;
        int r;

        while (p < stop && *p == '\0')
            p++;
        if (p == stop) {
            p = next;
            continue;
        }
        if (ret->count == ret->size) {
            uint32_t size = ret->size ? ret->size * 2 : 8192;
            struct search_line *grown = realloc(ret->lines, size * sizeof(*grown));

            if (!grown)
                return -ENOMEM;
            ret->lines = grown;
            ret->size = size;
        }
        line = &ret->lines[ret->count];
        r = stop - p > LIMIT_LOG_LINE ? -EBADMSG : read_line(p, stop, o, &before, line);
        if (r < 0) {
            ret->damaged++;
            before.known = false;
        } else {
            line->offset = (uint32_t)(p - text.data);
            line->len = (uint32_t)(stop - p);
            nul = memchr(p, '\0', line->len);
            if (nul) { /* a hole in it: what is before the hole counts */
                line->len = (uint32_t)(nul - p);
                ret->damaged++;
            }
            line->hit = all || (by_type && is_wanted_type(o, line->type));
            before.line = *line;
            ret->count += (uint32_t)r;
        }
        p = next;
    }
    for (unsigned i = 0; i < o->needle->count; i++)
        mark_hits(text, &o->needle->forms[i], ret);
    return 0;
}
