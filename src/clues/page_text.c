/* SPDX-License-Identifier: MIT */
#include "clues/page.h"

#include <stdlib.h>

#include "clues/page_parts.h"
#include "clues/page_sources.h"
#include "clues/source.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/wrap.h"

#define LABEL PAGE_LABEL
#define NAMES_SHOWN 4
#define LINES_SHOWN 12  /* of what happened, of rules */
#define SUSPECTS_SHOWN 5

static void put_span(struct sbuf *out, uint64_t from_ns, uint64_t to_ns, uint64_t now_ns)
{
    clue_put_time(out, from_ns, now_ns);
    if (to_ns / 10000000 == from_ns / 10000000)
        return;
    sbuf_add_str(out, " to ");
    clue_put_time(out, to_ns, now_ns);
}

/* ---- how it is now ---- */

static bool same_group(const struct clue_fact *a, const struct clue_fact *b)
{
    return a == b || (a->kind == b->kind && a->source == b->source && bytes_equal(a->text, b->text) && a->kind != CLUE_OPEN);
}

static void put_group(const struct clue_page *p, struct sbuf *out, const char *label, const struct clue_fact *facts, size_t count, size_t first)
{
    const struct clue_question *q = clues_question(p->clues);
    const struct clue_fact *f = &facts[first];
    uint64_t from = UINT64_MAX, to = 0;
    unsigned n = 0;

    clue_put_label(p, out, label);
    for (size_t i = first; i < count; i++) {
        if (!same_group(f, &facts[i]))
            continue;
        if (facts[i].from_ns) {
            from = MIN(from, facts[i].from_ns);
            to = MAX(to, facts[i].to_ns);
        }
        if (n++ < NAMES_SHOWN && facts[i].path.len) {
            sbuf_add_str(out, n > 1 ? ", " : "");
            escape_terminal(out, n > 1 ? bytes_basename(facts[i].path) : facts[i].path);
        }
    }
    if (n > NAMES_SHOWN)
        sbuf_addf(out, " and %u more", n - NAMES_SHOWN);
    sbuf_add_str(out, f->path.len ? ": " : "");
    escape_terminal(out, f->text);
    if (to) {
        sbuf_add_str(out, f->kind == CLUE_ACCESS ? "; so since " : f->marks & CLUE_LATEST ? "; at the latest " : "; ");
        put_span(out, from, to, q->now_ns);
    }
    if (f->place.len) {
        sbuf_add_str(out, "  (");
        escape_terminal(out, f->place);
        sbuf_add_char(out, ')');
    }
    sbuf_add_char(out, '\n');
}

static void put_state(const struct clue_page *p, struct sbuf *out)
{
    static const struct {
        enum clue_kind kind;
        const char *label;
    } rows[] = {
        { CLUE_RECORDED, "RECORDED" }, { CLUE_HIDDEN, "HIDDEN" }, { CLUE_UNMOUNTED, "UNMOUNTED" }, { CLUE_MISSING, "GONE" },
        { CLUE_OPEN, "OPEN" },         { CLUE_KEPT, "KEPT" },     { CLUE_CHANGED, "CHANGED" },     { CLUE_ADDED, "ADDED" },
        { CLUE_INTACT, "INTACT" },     { CLUE_BACKUP, "BACKUPS" },     { CLUE_TIME, "WHEN" },
        { CLUE_ACCESS, "ACCESS" },
    };
    size_t count;
    const struct clue_fact *facts = clues_facts(p->clues, &count);

    for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
        unsigned lines = 0;

        for (size_t i = 0; i < count && lines < LINES_SHOWN; i++) {
            bool seen = false;

            if (facts[i].kind != rows[r].kind)
                continue;
            for (size_t j = 0; j < i && !seen; j++)
                seen = same_group(&facts[j], &facts[i]);
            if (seen)
                continue;
            put_group(p, out, lines ? "" : rows[r].label, facts, count, i);
            lines++;
        }
    }
}

/* ---- what happened, what is set to happen ---- */

static void put_line(struct sbuf *out, const struct clue_page *p, const struct clue_fact *f, unsigned times)
{
    sbuf_addf(out, "  %-9s ", clue_sources[f->source].name);
    if (f->from_ns && (f->kind == CLUE_HAPPENED || f->kind == CLUE_RUNNING)) {
        clue_put_time(out, f->from_ns, clues_question(p->clues)->now_ns);
        sbuf_add_str(out, "  ");
    }
    escape_terminal(out, f->text);
    if (f->place.len && !bytes_equal_str(f->place, clue_sources[f->source].name)) {
        sbuf_add_str(out, "  (");
        escape_terminal(out, f->place);
        sbuf_add_char(out, ')');
    }
    if (times > 1)
        sbuf_addf(out, "  (%u times)", times);
    sbuf_add_char(out, '\n');
}

static void put_nothing(const struct clue_page *p, struct sbuf *out)
{
    const struct clue_question *q = clues_question(p->clues);
    unsigned n = 0;

    for (unsigned i = 0; i < clue_source_count && q->span_count; i++) {
        const struct clue_report *r = clues_report(p->clues, i);
        size_t count, found = 0;
        const struct clue_fact *facts = clues_facts(p->clues, &count);

        for (size_t j = 0; j < count; j++)
            found += facts[j].source == i && facts[j].kind == CLUE_HAPPENED;
        if (r->state != CLUE_STATE_READ || !r->cover.from_ns || r->cover.from_ns > q->spans[0].from_ns || found)
            continue;
        sbuf_add_str(out, n++ ? "; " : "  nothing   in that minute, which is covered, in ");
        sbuf_add_str(out, clue_sources[i].reads);
    }
    if (n)
        sbuf_add_char(out, '\n');
}

static void put_processes(const struct clue_page *p, struct sbuf *out)
{
    size_t count, n = 0;
    const struct clue_fact *facts = clues_facts(p->clues, &count);

    for (size_t i = 0; i < count; i++)
        n += facts[i].kind == CLUE_RUNNING && clue_rules_of(p->circumstances, &facts[i]) && !clue_is_suspected(p, &facts[i]);
    if (n)
        sbuf_addf(out, "  process   %zu that %s here since then, or work%s there (--format json)\n", n, n == 1 ? "is" : "are",
                  n == 1 ? "s" : "");
}

static bool same_line(const struct clue_fact *a, const struct clue_fact *b)
{
    return a->source == b->source && a->kind == b->kind && bytes_equal(a->text, b->text) && bytes_equal(a->place, b->place);
}

/* How often the line is there; 0: an earlier one has been shown. */
static unsigned times_of(const struct clue_fact *facts, size_t count, const struct clue_fact *f)
{
    unsigned n = 0;

    for (size_t i = 0; i < count; i++) {
        if (!same_line(&facts[i], f))
            continue;
        if (facts[i].from_ns < f->from_ns || (facts[i].from_ns == f->from_ns && &facts[i] < f))
            return 0;
        n++;
    }
    return n;
}

struct shown_line {
    const struct clue_fact *fact;
    unsigned times;
    bool named; /* it names the path, or somebody who is suspected */
    uint64_t distance_ns;
};

static int by_time(const void *a, const void *b)
{
    const struct clue_fact *x = ((const struct shown_line *)a)->fact, *y = ((const struct shown_line *)b)->fact;

    if (x->from_ns != y->from_ns) /* those without a time first, in their order */
        return x->from_ns < y->from_ns ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int by_relevance(const void *a, const void *b)
{
    const struct shown_line *x = a, *y = b;

    if (x->named != y->named)
        return x->named ? -1 : 1;
    if (x->distance_ns != y->distance_ns)
        return x->distance_ns < y->distance_ns ? -1 : 1;
    return by_time(a, b);
}

/* Those that are shown, each line once, in order of time: of many those that name somebody or the path, and what is nearest to a moment. */
static size_t choose_lines(const struct clue_page *p, bool happened, struct shown_line *lines, size_t *ret_all)
{
    size_t count, n = 0;
    const struct clue_fact *facts = clues_facts(p->clues, &count);

    for (size_t i = 0; i < count; i++) {
        const struct clue_fact *f = &facts[i];
        unsigned times = clue_is_shown(p, f, happened) ? times_of(facts, count, f) : 0;

        if (times)
            lines[n++] = (struct shown_line){ f, times, (f->marks & CLUE_NAMES) || clue_is_suspected(p, f), clue_distance(clues_question(p->clues), f) };
    }
    *ret_all = n;
    if (n > LINES_SHOWN) {
        qsort(lines, n, sizeof(*lines), by_relevance);
        n = LINES_SHOWN;
    }
    qsort(lines, n, sizeof(*lines), by_time);
    return n;
}

static void put_lines(const struct clue_page *p, struct sbuf *out, bool happened)
{
    const struct clue_question *q = clues_question(p->clues);
    _cleanup_free_ struct shown_line *lines = NULL;
    size_t count, n, all;

    (void)clues_facts(p->clues, &count);
    lines = calloc(count + 1, sizeof(*lines));
    if (!lines || (happened && !q->span_count))
        return;
    if (happened) {
        sbuf_add_str(out, "AT THAT MOMENT (");
        put_span(out, q->spans[0].from_ns, q->spans[0].to_ns, q->now_ns);
        for (size_t i = 1; i < q->span_count; i++) {
            sbuf_add_str(out, "; ");
            put_span(out, q->spans[i].from_ns, q->spans[i].to_ns, q->now_ns);
        }
        sbuf_add_str(out, ")\n");
    }
    n = choose_lines(p, happened, lines, &all);
    if (!happened && n)
        sbuf_add_str(out, "SET TO HAPPEN\n");
    for (size_t i = 0; i < n; i++)
        put_line(out, p, lines[i].fact, lines[i].times);
    if (all > n)
        sbuf_addf(out, "  ... and %zu more (--format json has all of them)\n", all - n);
    if (happened) {
        put_processes(p, out);
        put_nothing(p, out);
    }
}

/* ---- who ---- */

static void put_suspects(const struct clue_page *p, struct sbuf *out)
{
    for (size_t i = 0; i < p->suspect_count && i < SUSPECTS_SHOWN; i++) {
        const struct clue_suspect *s = &p->suspects[i];
        bool first = true;

        clue_put_label(p, out, i ? "" : "SUSPECTS");
        sbuf_addf(out, "%zu  ", i + 1);
        escape_terminal(out, s->name);
        for (unsigned r = 0; r < clue_rule_count; r++)
            if (s->rules & 1u << r) {
                sbuf_add_str(out, first ? ": " : "; ");
                sbuf_add_str(out, clue_rules[r].reason);
                first = false;
            }
        if (s->shown && s->shown->place.len) {
            sbuf_add_str(out, "; ");
            escape_terminal(out, s->shown->place);
        }
        sbuf_add_char(out, '\n');
        if (s->shown && s->shown->kind != CLUE_HIDDEN && s->shown->kind != CLUE_KEPT && s->shown->text.len) {
            sbuf_addf(out, "%*s", LABEL + 3, "");
            if (s->shown->from_ns && s->shown->kind == CLUE_HAPPENED) {
                clue_put_time(out, s->shown->from_ns, clues_question(p->clues)->now_ns);
                sbuf_add_str(out, "  ");
            }
            escape_terminal(out, s->shown->text);
            sbuf_add_char(out, '\n');
        }
    }
    if (p->suspect_count > SUSPECTS_SHOWN)
        sbuf_addf(out, "%*s... and %zu more\n", LABEL, "", p->suspect_count - SUSPECTS_SHOWN);
    if (!p->suspect_count) {
        clue_put_label(p, out, "SUSPECTS");
        sbuf_add_str(out, "nobody: what is left here points at nobody\n");
    }
}

bool clue_page_has_answer(const struct clue_page *p)
{
    size_t count;
    const struct clue_fact *facts = clues_facts(p->clues, &count);

    for (size_t i = 0; i < count; i++)
        if (facts[i].kind < CLUE_TIME && facts[i].kind != CLUE_INTACT)
            return true;
    return p->suspect_count > 0;
}

/* All lines from there on. */
static void wrap(const struct clue_page *p, struct sbuf *out, size_t from)
{
    _cleanup_sbuf_ struct sbuf whole = SBUF_INIT;
    struct bytes rest, line;

    if (!p->columns)
        return;
    sbuf_add(&whole, sbuf_str(out) + from, out->len - from);
    sbuf_truncate(out, from);
    for (rest = sbuf_bytes(&whole); rest.len;) {
        bool below = rest.data[0] == ' ' && rest.len > 2 && rest.data[2] != ' '; /* of what happened, with the name of its source */

        line = bytes_next_line(&rest);
        from = out->len;
        sbuf_add_bytes(out, line);
        wrap_line(out, from, p->columns, below ? 2 + LABEL : LABEL);
    }
}

void clue_page_text(const struct clue_page *p, struct sbuf *out)
{
    size_t from = out->len;

    put_state(p, out);
    put_lines(p, out, true);
    put_lines(p, out, false);
    put_suspects(p, out);
    clue_put_sources(p, out);
    if (clues_stopped(p->clues)) {
        clue_put_label(p, out, "STOPPED");
        sbuf_add_str(out, "before all was looked at\n");
    }
    wrap(p, out, from); /* but for the command, which is to be copied */
    clue_put_label(p, out, "CATCH IT");
    sbuf_add_str(out, p->container && p->container->name.len ? "culprit run -w " : "culprit watch ");
    escape_shell(out, p->target);
    if (p->container && p->container->name.len) {
        sbuf_add_str(out, " -- ");
        escape_shell(out, p->container->runtime);
        sbuf_add_str(out, " restart ");
        escape_shell(out, p->container->name);
    }
    sbuf_add_str(out, "   (suspects are not culprits: only what is recorded is proof)\n");
}
