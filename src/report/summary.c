/* SPDX-License-Identifier: MIT */
#include "report/summary.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event/ecs.h"
#include "event/operation.h"
#include "event/sentence.h"
#include "report/names.h"
#include "report/when.h"
#include "util/err.h"
#include "util/escape.h"
#include "util/hash.h"
#include "util/hash_table.h"
#include "util/json_writer.h"

#define HOUR_S 3600
#define NUMBER_COLUMNS 9
#define TIME_COLUMNS 19

static const char *const by_names[] = { [SUMMARY_CAUSE] = "cause",
                                        [SUMMARY_PROGRAM] = "program",
                                        [SUMMARY_USER] = "user",
                                        [SUMMARY_FILE] = "file",
                                        [SUMMARY_HOUR] = "hour" };

struct count {
    uint64_t changes, deleted, refused, bytes;
    bool bytes_known, bytes_least; /* of some only the growth is known: at least so many were written */
    uint64_t first_ns, last_ns;
};

struct summary_row {
    struct count count;
    char *name; /* escaped for a terminal */
    UT_hash_handle hh;
    size_t key_len;
    char key[]; /* all that identifies it: others choose the names, and could find two of the same short hash */
};

struct summary {
    enum summary_by by;
    struct summary_row *rows;
    struct count beyond, all;
    uint64_t shown; /* rows, of those that are written now */
};

bool summary_by_parse(struct bytes word, enum summary_by *ret)
{
    for (unsigned i = 0; i < ARRAY_SIZE(by_names); i++)
        if (bytes_equal_str(word, by_names[i])) {
            *ret = (enum summary_by)i;
            return true;
        }
    return false;
}

struct summary *summary_new(enum summary_by by)
{
    struct summary *s = calloc(1, sizeof(*s));

    if (s)
        s->by = by;
    return s;
}

void summary_free(struct summary *s)
{
    struct summary_row *row, *next;

    if (!s)
        return;
    HASH_ITER(hh, s->rows, row, next) {
        HASH_DEL(s->rows, row);
        free(row->name);
        free(row);
    }
    free(s);
}

/* ---- in ---- */

static uint64_t hour_of(uint64_t time_ns)
{
    return (uint64_t)((int64_t)(time_ns / NS_PER_S) + when_local(time_ns).tm_gmtoff) / HOUR_S;
}

static struct bytes path_of(const struct event *e)
{
    return e->operation == OPERATION_RENAME && e->previous_path.len ? e->previous_path : e->path;
}

static void write_key(struct sbuf *out, enum summary_by by, const struct event *e)
{
    struct fingerprint cause;
    uint64_t hour;

    switch (by) {
    case SUMMARY_CAUSE:
        cause = name_cause_key(e);
        sbuf_add(out, (const char *)&cause, sizeof(cause));
        break;
    case SUMMARY_HOUR:
        hour = hour_of(e->time_ns);
        sbuf_add(out, (const char *)&hour, sizeof(hour));
        break;
    case SUMMARY_FILE:
        if (e->victim)
            sbuf_add_bytes(out, e->victim->id);
        sbuf_add_char(out, '\0');
        sbuf_add_bytes(out, path_of(e));
        break;
    case SUMMARY_PROGRAM:
        name_program(out, e);
        break;
    case SUMMARY_USER:
        name_user(out, e);
        break;
    }
}

static void write_hour(struct sbuf *out, uint64_t time_ns)
{
    struct tm tm = when_local(time_ns);
    char day[32];

    strftime(day, sizeof(day), "%a %d %b %Y", &tm);
    sbuf_addf(out, "%s, %02d:00 to %02d:59", day, tm.tm_hour, tm.tm_hour);
}

static void write_name(struct sbuf *out, enum summary_by by, const struct event *e)
{
    switch (by) {
    case SUMMARY_CAUSE:
        name_cause(out, e);
        break;
    case SUMMARY_PROGRAM:
        name_program(out, e);
        break;
    case SUMMARY_USER:
        name_user(out, e);
        break;
    case SUMMARY_HOUR:
        write_hour(out, e->time_ns);
        break;
    case SUMMARY_FILE:
        if (path_of(e).len)
            escape_terminal(out, path_of(e));
        else
            sbuf_add_str(out, "(a file whose name is not known)");
        if (e->victim) {
            sbuf_add_str(out, " of container ");
            name_container(out, e->victim);
        }
        break;
    }
}

static struct summary_row *row_of(struct summary *s, const struct event *e)
{
    _cleanup_sbuf_ struct sbuf key = SBUF_INIT;
    struct sbuf name = SBUF_INIT;
    unsigned hash;
    struct summary_row *row;

    write_key(&key, s->by, e);
    if (sbuf_error(&key))
        return NULL;
    hash = (unsigned)hash_words(HASH_START, sbuf_str(&key), key.len);
    HASH_FIND_BYHASHVALUE(hh, s->rows, sbuf_str(&key), key.len, hash, row);
    if (row || HASH_COUNT(s->rows) >= SUMMARY_ROWS_MAX || !(row = calloc(1, sizeof(*row) + key.len)))
        return row;
    write_name(&name, s->by, e);
    row->key_len = key.len;
    memcpy(row->key, sbuf_str(&key), key.len);
    row->name = sbuf_steal(&name);
    if (!row->name) {
        free(row);
        return NULL;
    }
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, s->rows, row->key, row->key_len, hash, row);
    if (HASH_IS_IN(hh, row))
        return row;
    free(row->name);
    free(row);
    return NULL;
}

static void count_event(struct count *c, const struct event *e)
{
    c->changes += e->error <= 0;
    c->refused += e->error > 0;
    c->deleted += e->error == 0 && operation_removes(e->operation);
    if (e->bytes_known) {
        c->bytes += e->bytes;
        c->bytes_known = true;
    } else if (e->operation == OPERATION_WRITE && (e->before.known & e->after.known & FILE_SIZE) &&
               e->after.size > e->before.size) {
        c->bytes += e->after.size - e->before.size;
        c->bytes_known = c->bytes_least = true;
    }
    if (!c->first_ns || e->time_ns < c->first_ns)
        c->first_ns = e->time_ns;
    c->last_ns = MAX(c->last_ns, e->time_ns);
}

void summary_add(struct summary *s, const struct event *event)
{
    struct summary_row *row = row_of(s, event);

    count_event(row ? &row->count : &s->beyond, event);
    count_event(&s->all, event);
}

/* ---- out ---- */

static void add_count(struct count *to, const struct count *c)
{
    to->changes += c->changes;
    to->refused += c->refused;
    to->deleted += c->deleted;
    to->bytes += c->bytes;
    to->bytes_known |= c->bytes_known;
    to->bytes_least |= c->bytes_least;
    if (c->first_ns && (!to->first_ns || c->first_ns < to->first_ns))
        to->first_ns = c->first_ns;
    to->last_ns = MAX(to->last_ns, c->last_ns);
}

static int by_first(const struct summary_row *a, const struct summary_row *b)
{
    return a->count.first_ns < b->count.first_ns ? -1 : a->count.first_ns > b->count.first_ns;
}

static int by_count(const struct summary_row *a, const struct summary_row *b)
{
    uint64_t x = a->count.changes + a->count.refused, y = b->count.changes + b->count.refused;

    return x > y ? -1 : x < y ? 1 : by_first(a, b);
}

static int by_bytes(const struct summary_row *a, const struct summary_row *b)
{
    return a->count.bytes > b->count.bytes ? -1 : a->count.bytes < b->count.bytes ? 1 : by_count(a, b);
}

/* Which rows are written, in their order; what the others add up to and how many they are. */
static uint64_t choose(struct summary *s, enum summary_order order, uint64_t top, struct count *ret_rest)
{
    uint64_t n = 0, left = 0;

    if (s->by == SUMMARY_HOUR)
        HASH_SORT(s->rows, by_first);
    else if (order == SUMMARY_BY_BYTES)
        HASH_SORT(s->rows, by_bytes);
    else
        HASH_SORT(s->rows, by_count);
    *ret_rest = s->beyond;
    for (struct summary_row *row = s->rows; row; row = (struct summary_row *)row->hh.next)
        if (top && ++n > top) {
            add_count(ret_rest, &row->count);
            left++;
        }
    s->shown = HASH_COUNT(s->rows) - left;
    return left;
}

static void write_number(struct sbuf *out, uint64_t n)
{
    sbuf_addf(out, "%*llu", NUMBER_COLUMNS, (unsigned long long)n);
}

static void write_bytes(struct sbuf *out, const struct count *c)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    if (c->bytes_least)
        sbuf_add_char(&text, '>');
    if (c->bytes_known)
        sentence_size(&text, c->bytes);
    else
        sbuf_add_char(&text, '-');
    sbuf_addf(out, "%*s", NUMBER_COLUMNS, sbuf_str(&text));
}

static void write_time(struct sbuf *out, uint64_t time_ns)
{
    struct tm tm = when_local(time_ns);
    char text[TIME_COLUMNS + 1];

    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    sbuf_add_str(out, text);
}

static void write_counts(struct sbuf *out, const struct count *c)
{
    write_number(out, c->changes);
    sbuf_add_char(out, ' ');
    write_number(out, c->deleted);
    sbuf_add_char(out, ' ');
    write_number(out, c->refused);
    sbuf_add_char(out, ' ');
    write_bytes(out, c);
    sbuf_add_str(out, "  ");
    write_time(out, c->last_ns);
    sbuf_add_str(out, "  ");
}

void summary_write_text(struct summary *s, enum summary_order order, uint64_t top, struct sbuf *out)
{
    struct count rest;
    uint64_t left = choose(s, order, top, &rest), n = 0;

    sbuf_addf(out, "%*s %*s %*s %*s  %-*s  %s\n", NUMBER_COLUMNS, "changes", NUMBER_COLUMNS, "deleted", NUMBER_COLUMNS,
              "refused", NUMBER_COLUMNS, "written", TIME_COLUMNS, "last", by_names[s->by]);
    for (const struct summary_row *row = s->rows; row && n < s->shown; row = (const struct summary_row *)row->hh.next, n++) {
        write_counts(out, &row->count);
        sbuf_add_str(out, row->name);
        sbuf_add_char(out, '\n');
    }
    if (rest.changes || rest.refused) {
        write_counts(out, &rest);
        if (s->beyond.changes || s->beyond.refused)
            sbuf_add_str(out, "all others\n");
        else
            sbuf_addf(out, "%llu more\n", (unsigned long long)left);
    }
    write_counts(out, &s->all);
    sbuf_add_str(out, "in all\n");
}

static void write_json_counts(struct sbuf *out, const struct count *c)
{
    json_number(out, JSON_KEY("changes"), c->changes);
    json_number(out, JSON_KEY("deleted"), c->deleted);
    json_number(out, JSON_KEY("refused"), c->refused);
    if (c->bytes_known)
        json_number(out, JSON_KEY("bytes_written"), c->bytes);
    json_key(out, JSON_KEY("first"));
    ecs_write_time(out, c->first_ns);
    json_key(out, JSON_KEY("last"));
    ecs_write_time(out, c->last_ns);
    sbuf_add_str(out, "}\n");
}

void summary_write_json(struct summary *s, enum summary_order order, uint64_t top, struct sbuf *out)
{
    struct count rest;
    uint64_t left = choose(s, order, top, &rest), n = 0;

    for (const struct summary_row *row = s->rows; row && n < s->shown; row = (const struct summary_row *)row->hh.next, n++) {
        sbuf_add_char(out, '{');
        json_string(out, JSON_KEY("by"), bytes_of(by_names[s->by]));
        json_string(out, JSON_KEY("name"), bytes_of(row->name));
        write_json_counts(out, &row->count);
    }
    if (rest.changes || rest.refused) {
        sbuf_add_char(out, '{');
        json_string(out, JSON_KEY("by"), bytes_of(by_names[s->by]));
        json_number(out, JSON_KEY("others"), left);
        write_json_counts(out, &rest);
    }
}
