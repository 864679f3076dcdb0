/* SPDX-License-Identifier: MIT */
#include "alert/folded.h"

#include <stdlib.h>
#include <time.h>

#include "event/ecs_parts.h"
#include "report/names.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/hash_table.h"
#include "util/json_writer.h"

#define CAUSES_MAX 1024 /* of one row */
#define COUNT_COLUMNS 9
#define NAME_COLUMNS 14 /* "configuration" */

struct folded_count {
    uint64_t changes, first_ns, last_ns;
};

struct folded_cause {
    UT_hash_handle hh;
    struct {
        struct fingerprint cause;
        const struct expect_block *block;
    } key;
    struct folded_count count;
    char *name; /* escaped for a terminal */
};

struct folded_row {
    struct folded_count count;
    struct folded_cause *causes; /* uthash */
    uint64_t beyond;             /* changes of causes for which there was no room */
};

struct folded {
    const struct expect_rules *rules;
    struct folded_row rows[EXPECTED_COUNT];
    uint64_t seen;
};

struct folded *folded_new(const struct expect_rules *rules)
{
    struct folded *f = calloc(1, sizeof(*f));

    if (f)
        f->rules = rules;
    return f;
}

void folded_free(struct folded *f)
{
    struct folded_cause *c, *next;

    if (!f)
        return;
    for (unsigned i = 0; i < EXPECTED_COUNT; i++)
        HASH_ITER(hh, f->rows[i].causes, c, next) {
            HASH_DEL(f->rows[i].causes, c);
            free(c->name);
            free(c);
        }
    free(f);
}

/* ---- in ---- */

static void count(struct folded_count *c, uint64_t time_ns)
{
    if (!c->changes || time_ns < c->first_ns)
        c->first_ns = time_ns;
    c->last_ns = MAX(c->last_ns, time_ns);
    c->changes++;
}

static char *name_of(const struct event *e, const struct expect_block *block)
{
    struct sbuf name = SBUF_INIT;

    if (block) {
        sbuf_add_str(&name, "expect ");
        escape_terminal(&name, block->name);
        sbuf_add_str(&name, ": ");
    }
    name_cause(&name, e);
    return sbuf_steal(&name);
}

/* NULL: there is no room for it. */
static struct folded_cause *cause_of(struct folded_row *row, const struct event *e, const struct expect_block *block)
{
    struct folded_cause *c, made = { 0 };

    made.key.cause = name_cause_key(e);
    made.key.block = block;
    HASH_FIND(hh, row->causes, &made.key, sizeof(made.key), c);
    if (c || HASH_COUNT(row->causes) >= CAUSES_MAX || !(c = calloc(1, sizeof(*c))))
        return c;
    c->key = made.key;
    c->name = name_of(e, block);
    if (!c->name) {
        free(c);
        return NULL;
    }
    HASH_ADD(hh, row->causes, key, sizeof(c->key), c);
    if (HASH_IS_IN(hh, c))
        return c;
    free(c->name);
    free(c);
    return NULL;
}

void folded_add(struct folded *f, const struct event *event)
{
    const struct expect_block *block;
    struct folded_row *row = &f->rows[expected_find(f->rules, event, &block)];
    struct folded_cause *c = cause_of(row, event, block);

    f->seen++;
    count(&row->count, event->time_ns);
    if (c)
        count(&c->count, event->time_ns);
    else
        row->beyond++;
}

/* ---- out ---- */

static int by_count(const struct folded_cause *a, const struct folded_cause *b)
{
    if (a->count.changes != b->count.changes)
        return a->count.changes > b->count.changes ? -1 : 1;
    return a->count.first_ns < b->count.first_ns ? -1 : a->count.first_ns > b->count.first_ns;
}

/* The rows that have something, the most first. */
static unsigned sort_rows(const struct folded *f, unsigned order[EXPECTED_COUNT])
{
    unsigned n = 0;

    for (unsigned i = EXPECTED_NONE + 1; i < EXPECTED_COUNT; i++) {
        unsigned at = n;

        if (!f->rows[i].count.changes)
            continue;
        for (; at && f->rows[order[at - 1]].count.changes < f->rows[i].count.changes; at--)
            order[at] = order[at - 1];
        order[at] = i;
        n++;
    }
    return n;
}

/* Its causes, the most first. */
static const struct folded_cause *sort_causes(struct folded_row *row)
{
    HASH_SORT(row->causes, by_count);
    return row->causes;
}

static void write_time(struct sbuf *out, uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_S);
    char text[24];
    struct tm tm;

    if (localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
        sbuf_add_str(out, text);
}

static void write_head(struct sbuf *out, const struct folded_count *c)
{
    sbuf_addf(out, "%*llu  ", COUNT_COLUMNS, (unsigned long long)c->changes);
    write_time(out, c->last_ns);
    sbuf_add_str(out, "  ");
}

static void write_causes(struct folded_row *row, uint64_t top, struct sbuf *out)
{
    uint64_t n = 0, more = row->beyond, more_causes = 0;

    for (const struct folded_cause *c = sort_causes(row); c; c = c->hh.next) {
        if (top && n++ >= top) {
            more += c->count.changes;
            more_causes++;
            continue;
        }
        write_head(out, &c->count);
        sbuf_addf(out, "%*s%s\n", NAME_COLUMNS + 2, "", c->name);
    }
    if (!more)
        return;
    sbuf_addf(out, "%*llu  %*s", COUNT_COLUMNS, (unsigned long long)more, 19 + 2 + NAME_COLUMNS + 2, "");
    if (row->beyond)
        sbuf_add_str(out, "of all other causes\n");
    else
        sbuf_addf(out, "of %llu more cause%s\n", (unsigned long long)more_causes, more_causes == 1 ? "" : "s");
}

void folded_write_text(struct folded *f, uint64_t top, struct bytes target, struct sbuf *out)
{
    const uint64_t others = f->rows[EXPECTED_NONE].count.changes;
    unsigned order[EXPECTED_COUNT], n = sort_rows(f, order);

    sbuf_addf(out, "EXPECTED  %llu of %llu change%s, by what the configuration expects: no alert is made of them\n",
              (unsigned long long)(f->seen - others), (unsigned long long)f->seen, f->seen == 1 ? "" : "s");
    if (n)
        sbuf_addf(out, "%*s  %-19s  %-*s  %s\n", COUNT_COLUMNS, "changes", "last", NAME_COLUMNS, "row", "why, and by whom");
    for (unsigned i = 0; i < n; i++) {
        const struct expected_row *row = expected_row((enum expected)order[i]);

        write_head(out, &f->rows[order[i]].count);
        sbuf_addf(out, "%-*s  %s\n", NAME_COLUMNS, row->name, row->why);
        write_causes(&f->rows[order[i]], top, out);
    }
    if (!others)
        return;
    write_head(out, &f->rows[EXPECTED_NONE].count);
    sbuf_addf(out, "%-*s  nothing explains %s: culprit who ", NAME_COLUMNS, "not expected", others == 1 ? "it" : "them");
    escape_terminal(out, target);
    sbuf_add_char(out, '\n');
}

static void write_json_times(struct sbuf *out, const struct folded_count *c)
{
    json_number(out, JSON_KEY("changes"), c->changes);
    ecs_add_time(out, JSON_KEY("first"), c->first_ns);
    ecs_add_time(out, JSON_KEY("last"), c->last_ns);
}

static void write_json_row(struct folded_row *row, enum expected which, struct sbuf *out)
{
    sbuf_add_char(out, '{');
    json_string(out, JSON_KEY("by"), bytes_of("expected"));
    json_string(out, JSON_KEY("name"), bytes_of(expected_row(which)->name));
    json_string(out, JSON_KEY("why"), bytes_of(expected_row(which)->why));
    write_json_times(out, &row->count);
    (void)json_open(out, JSON_ARRAY("causes"));
    for (const struct folded_cause *c = sort_causes(row); c; c = c->hh.next) {
        json_open_element(out);
        json_string(out, JSON_KEY("name"), bytes_of(c->name));
        if (c->key.block)
            json_string(out, JSON_KEY("block"), c->key.block->name);
        write_json_times(out, &c->count);
        json_close(out);
    }
    json_close_array(out);
    if (row->beyond)
        json_number(out, JSON_KEY("other_causes"), row->beyond);
    sbuf_add_str(out, "}\n");
}

void folded_write_json(struct folded *f, struct sbuf *out)
{
    unsigned order[EXPECTED_COUNT], n = sort_rows(f, order);

    for (unsigned i = 0; i < n; i++)
        write_json_row(&f->rows[order[i]], (enum expected)order[i], out);
    write_json_row(&f->rows[EXPECTED_NONE], EXPECTED_NONE, out);
}
