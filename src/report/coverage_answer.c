/* SPDX-License-Identifier: MIT */
#include "report/coverage.h"

#include "report/case_state.h"
#include "report/coverage_words.h"
#include "report/sentence.h"
#include "util/clock.h"
#include "util/escape.h"

static void say_never(struct sbuf *out, const struct case_question *q)
{
    const struct coverage_nearest *n = &q->nearest;

    if (q->removed_ns) { /* it may have been watched, and much may have happened */
        sbuf_add_str(out, "what happened to ");
        escape_terminal(out, q->target);
        sbuf_add_str(out, " is not known: ");
        coverage_add_removed(out, q);
        return;
    }

    escape_terminal(out, q->target);
    if (q->watched_at_other_times) {
        sbuf_add_str(out, " was not watched in that time; it was ");
        coverage_add_span(out, n->from_ns, n->to_ns);
        return;
    }
    sbuf_add_str(out, " was never watched");
    if (!bytes_known(n->shown)) {
        sbuf_add_str(out, "; nothing else was either");
        return;
    }
    sbuf_add_str(out, "; the nearest that was: ");
    escape_terminal(out, n->shown);
    sbuf_add_str(out, n->to_ns ? ", from " : ", since ");
    coverage_add_moment(out, n->from_ns, false);
    if (n->to_ns) {
        sbuf_add_str(out, " to ");
        coverage_add_moment(out, n->to_ns, false);
    }
}

/* What a filter left out did happen, and so did what is allowed. */
static void begin_nothing(struct sbuf *out, const struct case_ *c, const char *verb, struct bytes target)
{
    sbuf_addf(out, "nothing %s%s ",
              c->filtered  ? "that matches the filters "
              : c->allowed ? "but what --allow permits "
                           : "",
              verb);
    escape_terminal(out, target);
    if (c->filtered) {
        sbuf_add_str(out, " (");
        case_filtered(c, out);
        sbuf_add_char(out, ')');
    }
    if (c->allowed)
        sbuf_addf(out, " (%llu change%s)", (unsigned long long)c->allowed, c->allowed == 1 ? "" : "s");
}

static void add_found_by(struct sbuf *out, const struct case_ *c)
{
    if (!c->watched_count)
        return;
    sbuf_add_str(out, " (");
    coverage_write_sensors(out, c->watched[0].coverage.sensors);
    sbuf_add_str(out, "; ");
    coverage_write_loss(c, out);
    if (coverage_is_elsewhere(c, &c->watched[0].coverage)) {
        sbuf_add_str(out, "; on another machine: ");
        escape_terminal(out, c->watched[0].coverage.host_name);
    }
    sbuf_add_char(out, ')');
}

/* All of it was watched at those times. */
static void say_times(struct sbuf *out, const struct case_question *q)
{
    const struct coverage_span *first = &q->sum.spans[0], *last = &q->sum.spans[q->sum.count - 1];
    uint64_t to_ns = last->to_ns == UINT64_MAX ? 0 : last->to_ns, between_ns = 0;

    if (!q->sum.since_ns && !q->sum.until_ns && q->sum.count == 1) {
        sbuf_add_str(out, " in ");
        coverage_add_duration(out, (to_ns ? to_ns : clock_ns(CLOCK_REALTIME)) - first->from_ns);
        sbuf_add_str(out, ", ");
    } else {
        sbuf_add_str(out, " while it was watched, ");
    }
    coverage_add_span(out, first->from_ns, to_ns);
    if (q->sum.count < 2)
        return;
    sbuf_addf(out, " in %u%s spans", q->sum.count, q->sum.more_spans ? " and more" : "");
    if (q->sum.more_spans)
        return;
    for (unsigned i = 1; i < q->sum.count; i++)
        between_ns += q->sum.spans[i].from_ns - q->sum.spans[i - 1].to_ns;
    sbuf_add_str(out, ", not for ");
    coverage_add_duration(out, between_ns);
    sbuf_add_str(out, " between them");
}

static void say_whole(struct sbuf *out, const struct case_question *q)
{
    uint64_t now = clock_ns(CLOCK_REALTIME), until = q->sum.until_ns && q->sum.until_ns < now ? q->sum.until_ns : now;

    sbuf_add_str(out, " in ");
    coverage_add_duration(out, until > q->sum.since_ns ? until - q->sum.since_ns : 0);
    if (q->sum.until_ns) {
        sbuf_add_str(out, ", ");
        coverage_add_span(out, q->sum.since_ns, until);
    }
}

static void say_partly(struct sbuf *out, const struct case_ *c, const struct case_question *q)
{
    const struct watched *w = NULL;
    _cleanup_sbuf_ struct sbuf limits = SBUF_INIT;

    for (size_t i = 0; i < c->watched_count && !limits.len; i++)
        if (coverage_add_limits(&limits, &c->watched[i].coverage, q->sum.permissions))
            w = &c->watched[i];
    sbuf_add_str(out, " as far as it was watched: ");
    sbuf_add_bytes(out, sbuf_bytes(&limits));
    if (w) {
        sbuf_add_str(out, ", ");
        coverage_add_span(out, w->coverage.from_ns, w->coverage.to_ns);
    }
}

static void say_answer(struct sbuf *out, const struct case_ *c, const struct case_question *q)
{
    enum coverage_extent extent = coverage_sum_extent(&q->sum, clock_ns(CLOCK_REALTIME));

    if (extent == COVERAGE_NEVER) {
        say_never(out, q);
        sbuf_add_str(out, ". What the host still knows: culprit clues ");
        escape_shell(out, q->target);
        return;
    }
    begin_nothing(out, c, extent == COVERAGE_UNKNOWN ? "is recorded of" : "happened to", q->target);
    if (extent == COVERAGE_UNKNOWN)
        sbuf_add_str(out, "; what the log's rules covered is not known");
    else if (extent == COVERAGE_WHOLE)
        say_whole(out, q);
    else if (extent == COVERAGE_AT_TIMES)
        say_times(out, q);
    else
        say_partly(out, c, q);
    add_found_by(out, c);
    if (q->removed_ns) {
        sbuf_add_str(out, "; ");
        coverage_add_removed(out, q);
    }
}

bool case_watched_partly(const struct case_ *c, struct sbuf *out)
{
    size_t before = out->len;

    if (!c->questions || coverage_sum_extent(&c->questions->sum, clock_ns(CLOCK_REALTIME)) != COVERAGE_PARTLY)
        return false;
    for (size_t i = 0; i < c->watched_count && out->len == before; i++)
        (void)coverage_add_limits(out, &c->watched[i].coverage, c->questions->sum.permissions);
    return out->len > before;
}

static void say_how_long(struct sbuf *out, const struct case_ *c)
{
    uint64_t now = clock_ns(CLOCK_REALTIME), from = c->watched_count ? c->watched[0].coverage.from_ns : now;

    if (!c->watched_count || c->options.stored)
        return;
    sbuf_add_str(out, " in ");
    coverage_add_duration(out, now > from ? now - from : 0);
}

static bool is_absent(const struct case_ *c, struct bytes target)
{
    for (size_t i = 0; i < c->explained_count; i++)
        if (c->explained[i].kind == EXPLANATION_ABSENT && bytes_equal(c->explained[i].detail, target))
            return true;
    return false;
}

/* The targets that were there. */
static void add_present(struct sbuf *out, const struct case_ *c)
{
    struct bytes rest = c->options.target;

    while (rest.len) {
        const char *space = bytes_char(rest, ' ');
        struct bytes target = { rest.data, space ? (size_t)(space - rest.data) : rest.len };

        if (!is_absent(c, target)) {
            sbuf_add_str(out, out->len ? " " : "");
            sbuf_add_bytes(out, target);
        }
        rest = (struct bytes){ rest.data + target.len + (space != NULL), rest.len - target.len - (space != NULL) };
    }
}

/* Live: it was watched from the beginning, but for what never came. */
static void say_live(struct sbuf *out, const struct case_ *c, void (*line)(void *data, struct bytes text), void *data)
{
    _cleanup_sbuf_ struct sbuf present = SBUF_INIT;

    for (size_t i = 0; i < c->explained_count; i++) {
        const struct explained *e = &c->explained[i];

        if (e->kind != EXPLANATION_ABSENT)
            continue;
        if (out->len)
            line(data, sbuf_bytes(out));
        sbuf_clear(out);
        escape_terminal(out, e->detail);
        sbuf_add_str(out, " was never there");
        say_how_long(out, c);
        add_found_by(out, c);
        if (is_absent(c, c->options.target))
            return; /* as it is written: there is no other, and its name may have blanks */
    }
    add_present(&present, c);
    if (!present.len)
        return;
    if (out->len)
        line(data, sbuf_bytes(out));
    sbuf_clear(out);
    begin_nothing(out, c, "happened to", sbuf_bytes(&present));
    say_how_long(out, c);
    add_found_by(out, c);
}

void coverage_each_answer(const struct case_ *c, void (*line)(void *data, struct bytes text), void *data)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    if (!c->questions)
        say_live(&s, c, line, data);
    for (const struct case_question *q = c->questions; q; q = q->next) {
        if (s.len)
            line(data, sbuf_bytes(&s));
        sbuf_clear(&s);
        say_answer(&s, c, q);
    }
    line(data, sbuf_bytes(&s));
}

void coverage_each_unwatched(const struct case_ *c, void (*line)(void *data, struct bytes text), void *data)
{
    for (const struct case_question *q = c->questions; q; q = q->next) {
        _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

        if (q->found || coverage_sum_extent(&q->sum, clock_ns(CLOCK_REALTIME)) != COVERAGE_NEVER)
            continue;
        say_never(&s, q);
        line(data, sbuf_bytes(&s));
    }
}
