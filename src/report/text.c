/* SPDX-License-Identifier: MIT */
/* The page for people (ux.md): verdicts, evidence, coverage; the answer last and biggest, every number true. */
#include "report/advice.h"
#include "report/case.h"

#include <limits.h>
#include <time.h>

#include "event/ecs.h"
#include "event/operation.h"
#include "event/sentence.h"
#include "report/coverage.h"
#include "report/coverage_words.h"
#include "report/judge.h"
#include "report/names.h"
#include "report/page.h"
#include "report/phrase.h"
#include "report/sentence.h"
#include "report/tally.h"
#include "report/text_noise.h"
#include "report/when.h"
#include "report/who.h"
#include "util/escape.h"

#define WHAT_SHOWN 8
#define VERDICT_INDENT 9 /* of what follows "VERDICT  " */

/* ---- one culprit ---- */

/* The time zone once on a page. */
static void add_zone(struct page *p, uint64_t time_ns)
{
    struct tm tm;
    char text[32];

    if (p->zone_reported)
        return;
    p->zone_reported = true;
    tm = when_local(time_ns);
    if (tm.tm_gmtoff == 0)
        sbuf_add_str(p->out, " (UTC)");
    else if (strftime(text, sizeof(text), "%Z, UTC%z", &tm))
        sbuf_addf(p->out, " (%s)", text);
}

static void write_what(struct page *p, const struct culprit *s)
{
    unsigned n = 0, left = 0;

    for (const struct tally *t = s->tallies; t; t = t->next) {
        if (!t->reported)
            continue;
        if (n == WHAT_SHOWN) {
            left++;
            continue;
        }
        page_begin(p, n++ ? "" : "what");
        phrase_done(t, p->out);
        sbuf_add_str(p->out, ", ");
        when_range(t->first_ns, t->last_ns, true, p->out);
        add_zone(p, t->first_ns);
        page_end(p, PAGE_INDENT);
    }
    if (left) {
        page_begin(p, "");
        sbuf_addf(p->out, "and %u more kind%s of changes", left, left == 1 ? "" : "s");
        page_end(p, PAGE_INDENT);
    }
}

static void add_victim_start(struct page *p, const struct culprit *s)
{
    for (const struct tally *t = s->tallies; t; t = t->next)
        if (t->start_ns && t->victim && t->reported) {
            sbuf_add_str(p->out, ", ");
            name_container(p->out, t->victim);
            sbuf_add_str(p->out, " started at ");
            when_time(t->start_ns, true, p->out);
            return;
        }
}

/* All of it together, where the lines above do not say it already. */
static void write_when(struct page *p, const struct case_ *c, const struct culprit *s)
{
    _cleanup_sbuf_ struct sbuf pattern = SBUF_INIT;
    uint64_t first = UINT64_MAX, last = 0;
    unsigned kinds = 0;
    bool started = false;

    for (const struct tally *t = s->tallies; t; t = t->next) {
        if (!t->reported)
            continue;
        kinds++;
        first = MIN(first, t->first_ns);
        last = MAX(last, t->last_ns);
        started |= t->start_ns != 0;
    }
    when_pattern(c, s, &pattern);
    if (!kinds || (kinds == 1 && !started && !pattern.len))
        return;
    page_begin(p, "when");
    when_range(first, last, true, p->out);
    if (s->start_count < 2)
        add_victim_start(p, s);
    if (pattern.len) {
        sbuf_add_str(p->out, " · ");
        sbuf_add_bytes(p->out, sbuf_bytes(&pattern));
    }
    page_end(p, PAGE_INDENT);
}

static void write_doubts(struct page *p, const struct culprit *s)
{
    const char *label = "doubt";

    for (size_t i = 0; i < s->note_count; i++, label = "") {
        page_begin(p, label);
        sbuf_addf(p->out, "%llu change%s: ", (unsigned long long)s->notes[i].count, s->notes[i].count == 1 ? "" : "s");
        escape_terminal(p->out, s->notes[i].text);
        page_end(p, PAGE_INDENT);
    }
    if (s->notes_beyond) {
        page_begin(p, label);
        sbuf_addf(p->out, "%llu more, of other kinds", (unsigned long long)s->notes_beyond);
        page_end(p, PAGE_INDENT);
    }
}

/* ---- the case ---- */

static void write_coverage_line(void *data, const char *label, struct bytes text)
{
    struct page *p = data;

    page_begin(p, label);
    sbuf_add_bytes(p->out, text);
    page_end(p, PAGE_INDENT);
}

static void write_unwatched_line(void *data, struct bytes text)
{
    write_coverage_line(data, "besides", text);
}

/* What was seen and is not reported, because the user asked for something else. */
static void write_left_out(struct page *p, const struct case_ *c)
{
    if (c->filtered) {
        page_begin(p, "filter");
        case_filtered(c, p->out);
        page_end(p, PAGE_INDENT);
    }
    if (c->allowed) {
        page_begin(p, "allowed");
        sbuf_addf(p->out, "%llu change%s to what --allow permits", (unsigned long long)c->allowed,
                  c->allowed == 1 ? "" : "s");
        page_end(p, PAGE_INDENT);
    }
}

static bool is_alike(const struct gap *a, const struct gap *b)
{
    return a->reason == b->reason && strcmp(a->text, b->text) == 0;
}

/* All gaps from that one on that say the same, as one; how many. 0: it was said with one before. */
static unsigned join_gaps(const struct case_ *c, size_t first, struct gap *ret)
{
    unsigned n = 0;

    for (size_t i = 0; i < first; i++)
        if (is_alike(&c->gaps[i], &c->gaps[first]))
            return 0;
    *ret = c->gaps[first];
    for (size_t i = first; i < c->gap_count; i++) {
        const struct gap *g = &c->gaps[i];

        if (!is_alike(g, ret))
            continue;
        n++;
        ret->count = i == first || (g->count && ret->count) ? ret->count + (i == first ? 0 : g->count) : 0;
        ret->from_ns = MIN(ret->from_ns, g->from_ns);
        ret->to_ns = MAX(ret->to_ns, g->to_ns);
    }
    return n;
}

static void write_coverage(struct page *p, const struct case_ *c)
{
    const char *label = "gap";

    coverage_each_line(c, write_coverage_line, p);
    for (size_t i = 0; i < c->gap_count; i++) {
        struct sentence_style style = { .utc_offset_s = when_local(c->gaps[i].from_ns).tm_gmtoff };
        struct gap gap;
        unsigned n = join_gaps(c, i, &gap);

        if (!n)
            continue;
        page_begin(p, label);
        sentence_gap(p->out, &gap, &style);
        if (n > 1)
            sbuf_addf(p->out, " (%u times)", n);
        page_end(p, PAGE_INDENT);
        label = "";
    }
    if (c->gaps_beyond) {
        page_begin(p, "");
        sbuf_addf(p->out, "and %zu more", c->gaps_beyond);
        page_end(p, PAGE_INDENT);
    }
}

static void write_command(const struct case_ *c, struct sbuf *out)
{
    if (!c->options.command.len)
        return;
    escape_terminal(out, c->options.command);
    if (c->options.command_status >= 0)
        sbuf_addf(out, ": exit %d after %.1f s", c->options.command_status,
                  (double)c->options.command_ns / 1e9);
    else
        sbuf_add_str(out, ": did not end");
    if (c->options.settle_ns)
        sbuf_addf(out, "; %.1f s more for late changes", (double)c->options.settle_ns / 1e9);
    if (c->own_status >= 0 && c->options.command_status > 0)
        sbuf_addf(out, "; culprit's own exit status: %d", c->own_status);
    sbuf_add_char(out, '\n');
}

static void write_question(struct page *p, const struct case_ *c, const char *command)
{
    sbuf_addf(p->out, "culprit %s ", command);
    if (c->options.store.len) {
        sbuf_add_str(p->out, "--store ");
        escape_shell(p->out, c->options.store);
        sbuf_add_char(p->out, ' ');
    }
    escape_terminal(p->out, c->options.target);
}

static void write_later(struct page *p, const struct case_ *c)
{
    if (c->options.stored || c->options.not_recorded)
        return;
    page_begin(p, "later");
    write_question(p, c, "who");
    page_end(p, PAGE_INDENT);
}

static void write_content(struct page *p, const struct case_ *c)
{
    if (!c->options.copies)
        return;
    page_begin(p, "content");
    write_question(p, c, "diff --content");
    page_end(p, PAGE_INDENT);
}

static void write_answer(void *data, struct bytes text)
{
    struct page *p = data;

    p->line_at = p->out->len;
    sbuf_addf(p->out, "%sculprit: %s", p->colour ? "\x1b[1m" : "", p->colour ? "\x1b[0m" : "");
    sbuf_add_bytes(p->out, text);
    page_end(p, VERDICT_INDENT);
}

static void write_nobody(struct page *p, const struct case_ *c)
{
    if (!c->explained_count || case_is_explained(c, EXPLANATION_ABSENT)) {
        coverage_each_answer(c, write_answer, p);
        return;
    }
    p->line_at = p->out->len;
    sbuf_addf(p->out, "%sVERDICT  ", p->colour ? "\x1b[1m" : "");
    case_sentence_nobody(c, p->out);
    sbuf_add_str(p->out, p->colour ? "\x1b[0m" : "");
    page_end(p, VERDICT_INDENT);
}

static void write_sentence(struct page *p, const struct case_ *c, const struct culprit *s)
{
    p->line_at = p->out->len;
    sbuf_addf(p->out, "%sVERDICT  ", p->colour ? "\x1b[1m" : "");
    case_sentence(c, s, p->out);
    sbuf_add_str(p->out, p->colour ? "\x1b[0m" : "");
    page_end(p, VERDICT_INDENT);
}

static void write_culprit(struct page *p, const struct case_ *c, const struct culprit *s, bool brief)
{
    write_sentence(p, c, s);
    if (c->options.quiet || brief)
        return;
    who_write(p, s);
    write_what(p, s);
    write_when(p, c, s);
    write_doubts(p, s);
    text_write_folded(p, s);
}

/* What is beyond the limit of the page, in one line. */
static void write_rest(struct page *p, const struct case_ *c, const struct culprit *s)
{
    uint64_t causes = 0, changes = 0;

    for (; s && s->noise == NOISE_NONE; s = s->next) {
        causes++;
        changes += culprit_reported(s) + culprit_folded(s);
    }
    p->line_at = p->out->len;
    sbuf_addf(p->out, "and %llu more cause%s with %llu change%s: ", (unsigned long long)causes, causes == 1 ? "" : "s",
              (unsigned long long)changes, changes == 1 ? "" : "s");
    if (c->options.stored)
        sbuf_add_str(p->out, "--limit 0 shows all");
    else if (c->options.not_recorded)
        sbuf_add_str(p->out, "--limit 0 would have shown all");
    else
        write_question(p, c, "who --limit 0");
    page_end(p, VERDICT_INDENT);
}

#define MANY 5    /* verdicts: with more of them the page gets longer than anybody reads */
#define IN_FULL 3 /* of them are, then */

static bool has_many(const struct case_ *c, unsigned limit)
{
    unsigned n = 0;

    for (const struct culprit *s = c->culprits; s && s->noise == NOISE_NONE && n < limit; s = s->next)
        n++;
    return n > MANY && !c->options.verbose;
}

static const struct culprit *write_culprits(struct page *p, const struct case_ *c)
{
    unsigned limit = c->options.limit ? c->options.limit : CASE_LIMIT, n = 0;
    const struct culprit *s = c->culprits;
    bool many = has_many(c, limit), brief = false;

    for (; s && s->noise == NOISE_NONE && n < limit; s = s->next, n++) {
        brief = many && n >= IN_FULL;
        if (n && !c->options.quiet && !(many && n > IN_FULL))
            sbuf_add_char(p->out, '\n');
        write_culprit(p, c, s, brief);
        if (!s->next || s->next->noise != NOISE_NONE || n + 1 == limit)
            text_write_noise(p, c);
        if (!c->options.quiet && !brief)
            advice_write(p, c, s);
    }
    if (brief && !c->options.quiet) {
        page_begin(p, "more");
        sbuf_addf(p->out, "the first %u are shown whole; the others with --verbose", IN_FULL);
        page_end(p, PAGE_INDENT);
    }
    return s && s->noise == NOISE_NONE ? s : NULL;
}

/* A verdict that may be incomplete says so, however little is asked for. */
static void write_quiet_end(struct page *p, const struct case_ *c)
{
    if (!case_lost(c))
        return;
    sbuf_add_str(p->out, "culprit: ");
    coverage_write_loss(c, p->out);
    sbuf_add_char(p->out, '\n');
}

static void write_evidence(struct page *p, const struct case_ *c, bool somebody)
{
    if (somebody && c->explained_count) {
        page_begin(p, "also");
        case_sentence_nobody(c, p->out);
        page_end(p, PAGE_INDENT);
    }
    if (c->beyond) {
        page_begin(p, "beyond");
        sbuf_addf(p->out, "%llu changes by more programs than a case can hold; all are in the store",
                  (unsigned long long)c->beyond);
        page_end(p, PAGE_INDENT);
    }
    if (somebody)
        write_left_out(p, c);
    if (somebody || c->explained_count || c->gap_count)
        write_coverage(p, c);
    if (somebody)
        coverage_each_unwatched(c, write_unwatched_line, p);
    if (somebody)
        write_content(p, c);
    if (somebody)
        write_later(p, c);
}

void case_write_end(const struct case_ *c, bool colour, unsigned columns, struct sbuf *out)
{
    struct page p = { .out = out, .colour = colour, .columns = columns };

    write_left_out(&p, c);
    write_coverage(&p, c);
}

void case_write_text(struct case_ *c, bool colour, unsigned columns, struct sbuf *out)
{
    struct page p = { .out = out, .colour = colour, .columns = columns };
    const struct culprit *rest;
    bool somebody;

    case_judge(c);
    somebody = c->culprits && c->culprits->noise == NOISE_NONE;
    if (!c->options.quiet)
        write_command(c, out);
    if (c->options.command.len && !c->options.quiet)
        sbuf_add_char(out, '\n');
    rest = write_culprits(&p, c);
    if (!somebody) {
        write_nobody(&p, c);
        text_write_noise(&p, c);
    }
    if (rest) {
        if (!c->options.quiet)
            sbuf_add_char(out, '\n');
        write_rest(&p, c, rest);
    }
    if (c->options.quiet)
        write_quiet_end(&p, c);
    else
        write_evidence(&p, c, somebody);
}
