/* SPDX-License-Identifier: MIT */
#include "report/coverage.h"

#include <errno.h>

#include "report/case_state.h"
#include "report/coverage_words.h"
#include "report/sentence.h"
#include "util/escape.h"

/* ---- what comes in ---- */

/* What differs in none of these is one watch, and one line. */
static bool same_watch(const struct coverage *a, const struct coverage *b)
{
    return a->sensors == b->sensors && a->permissions == b->permissions && bytes_equal(a->watch, b->watch) &&
           bytes_equal(a->only, b->only) && bytes_equal(a->narrowed, b->narrowed) && bytes_equal(a->host_id, b->host_id);
}

/* In order of their beginning, but for the time in which a link led elsewhere: that comes after the others, and was before them. */
static void join(struct watched *w, const struct coverage *c)
{
    uint64_t to_ns = w->coverage.to_ns;

    if (c->from_ns < w->coverage.from_ns) {
        if (c->to_ns && c->to_ns < w->coverage.from_ns) {
            w->spans++;
            w->between_ns += w->coverage.from_ns - c->to_ns;
        }
        w->coverage.from_ns = c->from_ns;
    }

    if (to_ns && c->from_ns > to_ns) {
        w->spans++;
        w->between_ns += c->from_ns - to_ns;
    }
    if (to_ns && (!c->to_ns || c->to_ns > to_ns))
        w->coverage.to_ns = c->to_ns;
}

int case_add_coverage(struct case_ *c, const struct coverage *coverage)
{
    struct watched *w = NULL;

    for (size_t i = 0; i < c->watched_count && !w; i++)
        if (same_watch(&c->watched[i].coverage, coverage))
            w = &c->watched[i];
    if (w) {
        join(w, coverage);
        return 0;
    }
    if (c->watched_count == ARRAY_SIZE(c->watched)) {
        c->watched_beyond++;
        return 0;
    }
    w = &c->watched[c->watched_count++];
    *w = (struct watched){ .coverage = *coverage, .spans = 1 };
    w->coverage.watch = arena_copy(&c->arena, coverage->watch);
    w->coverage.not_seen = arena_copy(&c->arena, coverage->not_seen);
    w->coverage.only = arena_copy(&c->arena, coverage->only);
    w->coverage.narrowed = arena_copy(&c->arena, coverage->narrowed);
    w->coverage.host_id = arena_copy(&c->arena, coverage->host_id);
    w->coverage.host_name = arena_copy(&c->arena, coverage->host_name);
    return 0;
}

void case_end_coverage(struct case_ *c, uint64_t to_ns)
{
    for (size_t i = 0; i < c->watched_count; i++)
        if (!c->watched[i].coverage.to_ns)
            c->watched[i].coverage.to_ns = to_ns;
}

int case_add_question(struct case_ *c, const struct case_question *question)
{
    struct case_question *own = arena_alloc(&c->arena, sizeof(*own));
    struct case_question **last = &c->questions;

    if (!own)
        return -ENOMEM;
    *own = *question;
    own->next = NULL;
    own->target = arena_copy(&c->arena, question->target);
    own->nearest.shown = arena_copy(&c->arena, question->nearest.shown);
    while (*last)
        last = &(*last)->next;
    *last = own;
    return 0;
}

bool case_was_watched(const struct case_ *c)
{
    return c->watched_count > 0;
}

/* ---- the lines ---- */

static unsigned asked_permissions(const struct case_ *c)
{
    return c->questions ? c->questions->sum.permissions : 0;
}

/* Between the spans of this watch another one looked there, as where a daemon watched more for a while: all that is asked for was watched
 * all that time. */
static bool was_watched_between(const struct case_ *c, const struct coverage *v)
{
    const struct case_question *q = c->questions;
    uint64_t from_ns, to_ns = v->to_ns ? v->to_ns : UINT64_MAX;

    if (!q || q->next || coverage_is_elsewhere(c, v))
        return false;
    from_ns = MAX(v->from_ns, q->sum.since_ns);
    to_ns = q->sum.until_ns ? MIN(to_ns, q->sum.until_ns) : to_ns;
    for (unsigned i = 0; i < q->sum.count; i++)
        if (q->sum.spans[i].from_ns <= from_ns && q->sum.spans[i].to_ns >= to_ns)
            return true;
    return false;
}

static void add_watched(struct sbuf *out, const struct case_ *c, const struct watched *w)
{
    const struct coverage *v = &w->coverage;

    coverage_write_sensors(out, v->sensors);
    sbuf_add_char(out, ' ');
    coverage_add_span(out, v->from_ns, v->to_ns);
    if (w->spans > 1 && !was_watched_between(c, v)) {
        sbuf_addf(out, " in %u spans, not for ", w->spans);
        coverage_add_duration(out, w->between_ns);
        sbuf_add_str(out, " between them");
    }
    if (coverage_is_elsewhere(c, v)) {
        sbuf_add_str(out, ", on another machine: ");
        escape_terminal(out, v->host_name.len ? v->host_name : v->host_id);
    }
}

/* What a log lacks is said here, because nothing else says it; what a sensor does not see is in culprit doctor. */
static void add_not_seen(struct sbuf *out, const struct case_ *c, unsigned sensors, struct bytes not_seen)
{
    unsigned kinds = coverage_lacks(not_seen);

    if (c->options.verbose || sensors == SENSOR_AUDIT_LOG) {
        sbuf_add_str(out, "not seen: ");
        escape_terminal(out, not_seen);
    } else {
        sbuf_addf(out, "%u kind%s not seen (--verbose, or culprit doctor)", kinds,
                  kinds == 1 ? " of change is" : "s of change are");
    }
}

void coverage_each_line(const struct case_ *c, void (*line)(void *data, const char *label, struct bytes text), void *data)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    for (size_t i = 0; i < c->watched_count; i++) {
        const struct watched *w = &c->watched[i];

        sbuf_clear(&s);
        add_watched(&s, c, w);
        if (i == 0) {
            sbuf_add_str(&s, ", ");
            coverage_write_loss(c, &s);
        }
        line(data, i ? "" : "coverage", sbuf_bytes(&s));
        sbuf_clear(&s);
        if (coverage_add_limits(&s, &w->coverage, asked_permissions(c)))
            line(data, "", sbuf_bytes(&s));
        sbuf_clear(&s);
        if (w->coverage.not_seen.len && i == 0) {
            add_not_seen(&s, c, w->coverage.sensors, w->coverage.not_seen);
            line(data, "", sbuf_bytes(&s));
        }
    }
    for (const struct case_question *q = c->questions; q; q = q->next) {
        sbuf_clear(&s);
        if (!q->removed_ns || (!q->found && c->questions->next))
            continue;
        if (c->questions->next) {
            escape_terminal(&s, q->target);
            sbuf_add_str(&s, ": ");
        }
        coverage_add_removed(&s, q);
        line(data, "", sbuf_bytes(&s));
    }
    sbuf_clear(&s);
    if (c->watched_beyond)
        sbuf_addf(&s, "and %zu more spans", c->watched_beyond);
    else if (!c->watched_count) {
        sbuf_add_str(&s, "not recorded when anything was observed; ");
        coverage_write_loss(c, &s);
    }
    if (s.len)
        line(data, c->watched_count ? "" : "coverage", sbuf_bytes(&s));
}
