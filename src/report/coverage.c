/* SPDX-License-Identifier: MIT */
#include "report/coverage.h"

#include <errno.h>
#include <time.h>

#include "event/ecs.h"
#include "event/operation.h"
#include "event/sentence.h"
#include "report/case_state.h"
#include "report/sentence.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/json_writer.h"
#include "util/limits.h"

#define SHOWN_PARTS 4

/* ---- what comes in ---- */

/* What differs in none of these is one watch, and one line. */
static bool same_watch(const struct coverage *a, const struct coverage *b)
{
    return a->sensors == b->sensors && a->permissions == b->permissions && bytes_equal(a->watch, b->watch) &&
           bytes_equal(a->only, b->only) && bytes_equal(a->narrowed, b->narrowed) && bytes_equal(a->host_id, b->host_id);
}

/* Both in order of their beginning. */
static void join(struct watched *w, const struct coverage *c)
{
    uint64_t to_ns = w->coverage.to_ns;

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

/* ---- words ---- */

void coverage_write_sensors(struct sbuf *out, unsigned bits)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;

    ecs_write_sensors(&names, bits);
    for (size_t i = 0; i < names.len; i++) {
        if (names.data[i] == ',')
            sbuf_add_str(out, " + ");
        else
            sbuf_add_char(out, names.data[i]);
    }
}

void coverage_write_loss(const struct case_ *c, struct sbuf *out)
{
    if (c->lost)
        sbuf_addf(out, "%llu%s lost: the verdict may be incomplete", (unsigned long long)c->lost,
                  c->lost_unknown ? " and more" : "");
    else if (c->lost_unknown)
        sbuf_add_str(out, "events lost, how many is not known: the verdict may be incomplete");
    else
        sbuf_add_str(out, "nothing lost");
}

static struct tm local(uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_S);
    struct tm tm;

    localtime_r(&seconds, &tm);
    return tm;
}

/* "3 Nov" with the year where it is another one, "14:02:11" today; with_time: both. */
static void add_moment(struct sbuf *out, uint64_t time_ns, bool with_time)
{
    struct tm tm = local(time_ns), today = local(clock_ns(CLOCK_REALTIME));
    bool is_today = tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday;
    char day[32];

    strftime(day, sizeof(day), tm.tm_year == today.tm_year ? "%-d %b" : "%-d %b %Y", &tm);
    if (!is_today)
        sbuf_add_str(out, day);
    if (!is_today && with_time)
        sbuf_add_char(out, ' ');
    if (is_today || with_time)
        sbuf_addf(out, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_span(struct sbuf *out, uint64_t from_ns, uint64_t to_ns)
{
    sbuf_add_str(out, to_ns ? "from " : "since ");
    add_moment(out, from_ns, true);
    if (to_ns) {
        sbuf_add_str(out, " to ");
        add_moment(out, to_ns, true);
    }
}

/* ... and what is older was removed. */
static void add_removed(struct sbuf *out, const struct case_question *q)
{
    bool watched = q->sum.count && q->sum.spans[0].from_ns == q->removed_ns; /* and longer, for all that is known */

    sbuf_add_str(out, watched ? "recorded since " : "the record goes back to ");
    add_moment(out, q->removed_ns, true);
    sbuf_add_str(out, "; older was removed");
}

static void add_duration(struct sbuf *out, uint64_t ns)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
    uint64_t s = ns / NS_PER_S;
    size_t i = 0;

    while (units[i].seconds > 1 && s < 2 * units[i].seconds)
        i++;
    s /= units[i].seconds;
    sbuf_addf(out, "%llu %s%s", (unsigned long long)s, units[i].name, s == 1 ? "" : "s");
}

static void add_parts(struct sbuf *out, struct bytes only)
{
    unsigned shown = 0;

    while (only.len) {
        size_t n = strnlen(only.data, only.len);

        if (shown == SHOWN_PARTS) {
            sbuf_add_str(out, " ...");
            return;
        }
        sbuf_add_str(out, shown++ ? ", " : "");
        escape_terminal(out, (struct bytes){ only.data, n });
        n += n < only.len;
        only = (struct bytes){ only.data + n, only.len - n };
    }
}

static const struct {
    unsigned permission;
    const char *words, *name;
} permissions[] = {
    { PERMISSION_WRITE, "changes of contents and names", "write" },
    { PERMISSION_ATTR, "changes of permissions and owners", "attributes" },
    { PERMISSION_READ, "reading", "read" },
    { PERMISSION_EXEC, "execution", "execute" },
};

/* What of it was watched: places, kinds of changes, and what options left out; nothing where it was all. */
static bool add_limits(struct sbuf *out, const struct coverage *v, unsigned asked)
{
    size_t before = out->len;
    bool first = true;

    if (v->only.len) {
        sbuf_add_str(out, "only ");
        add_parts(out, v->only);
    }
    for (size_t i = 0; i < ARRAY_SIZE(permissions) && v->permissions; i++) {
        if (!(asked & permissions[i].permission) || (v->permissions & permissions[i].permission))
            continue;
        sbuf_addf(out, "%s%s", first ? out->len > before ? "; not " : "not " : ", ", permissions[i].words);
        first = false;
    }
    if (v->narrowed.len) {
        sbuf_add_str(out, out->len > before ? "; with " : "with ");
        escape_terminal(out, v->narrowed);
    }
    return out->len > before;
}

/* ---- the lines ---- */

static unsigned asked_permissions(const struct case_ *c)
{
    return c->questions ? c->questions->sum.permissions : 0;
}

static bool is_elsewhere(const struct case_ *c, const struct coverage *v)
{
    return c->options.host_id.len && v->host_id.len && !bytes_equal(c->options.host_id, v->host_id);
}

static void add_watched(struct sbuf *out, const struct case_ *c, const struct watched *w)
{
    const struct coverage *v = &w->coverage;

    coverage_write_sensors(out, v->sensors);
    sbuf_add_char(out, ' ');
    add_span(out, v->from_ns, v->to_ns);
    if (w->spans > 1) {
        sbuf_addf(out, " in %u spans, not for ", w->spans);
        add_duration(out, w->between_ns);
        sbuf_add_str(out, " between them");
    }
    if (is_elsewhere(c, v)) {
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
        if (add_limits(&s, &w->coverage, asked_permissions(c)))
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
        add_removed(&s, q);
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

/* ---- where nothing was recorded ---- */

static void say_never(struct sbuf *out, const struct case_question *q)
{
    const struct coverage_nearest *n = &q->nearest;

    if (q->removed_ns) { /* it may have been watched, and much may have happened */
        sbuf_add_str(out, "what happened to ");
        escape_terminal(out, q->target);
        sbuf_add_str(out, " is not known: ");
        add_removed(out, q);
        return;
    }

    escape_terminal(out, q->target);
    if (q->watched_at_other_times) {
        sbuf_add_str(out, " was not watched in that time; it was ");
        add_span(out, n->from_ns, n->to_ns);
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
    add_moment(out, n->from_ns, false);
    if (n->to_ns) {
        sbuf_add_str(out, " to ");
        add_moment(out, n->to_ns, false);
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
    if (is_elsewhere(c, &c->watched[0].coverage)) {
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
        add_duration(out, (to_ns ? to_ns : clock_ns(CLOCK_REALTIME)) - first->from_ns);
        sbuf_add_str(out, ", ");
    } else {
        sbuf_add_str(out, " while it was watched, ");
    }
    add_span(out, first->from_ns, to_ns);
    if (q->sum.count < 2)
        return;
    sbuf_addf(out, " in %u%s spans", q->sum.count, q->sum.more_spans ? " and more" : "");
    if (q->sum.more_spans)
        return;
    for (unsigned i = 1; i < q->sum.count; i++)
        between_ns += q->sum.spans[i].from_ns - q->sum.spans[i - 1].to_ns;
    sbuf_add_str(out, ", not for ");
    add_duration(out, between_ns);
    sbuf_add_str(out, " between them");
}

static void say_whole(struct sbuf *out, const struct case_question *q)
{
    uint64_t now = clock_ns(CLOCK_REALTIME), until = q->sum.until_ns && q->sum.until_ns < now ? q->sum.until_ns : now;

    sbuf_add_str(out, " in ");
    add_duration(out, until > q->sum.since_ns ? until - q->sum.since_ns : 0);
    if (q->sum.until_ns) {
        sbuf_add_str(out, ", ");
        add_span(out, q->sum.since_ns, until);
    }
}

static void say_partly(struct sbuf *out, const struct case_ *c, const struct case_question *q)
{
    const struct watched *w = NULL;
    _cleanup_sbuf_ struct sbuf limits = SBUF_INIT;

    for (size_t i = 0; i < c->watched_count && !limits.len; i++)
        if (add_limits(&limits, &c->watched[i].coverage, q->sum.permissions))
            w = &c->watched[i];
    sbuf_add_str(out, " as far as it was watched: ");
    sbuf_add_bytes(out, sbuf_bytes(&limits));
    if (w) {
        sbuf_add_str(out, ", ");
        add_span(out, w->coverage.from_ns, w->coverage.to_ns);
    }
}

static void say_answer(struct sbuf *out, const struct case_ *c, const struct case_question *q)
{
    enum coverage_extent extent = coverage_sum_extent(&q->sum, clock_ns(CLOCK_REALTIME));

    if (extent == COVERAGE_NEVER) {
        say_never(out, q);
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
        add_removed(out, q);
    }
}

bool case_watched_partly(const struct case_ *c, struct sbuf *out)
{
    size_t before = out->len;

    if (!c->questions || coverage_sum_extent(&c->questions->sum, clock_ns(CLOCK_REALTIME)) != COVERAGE_PARTLY)
        return false;
    for (size_t i = 0; i < c->watched_count && out->len == before; i++)
        (void)add_limits(out, &c->watched[i].coverage, c->questions->sum.permissions);
    return out->len > before;
}

static void say_how_long(struct sbuf *out, const struct case_ *c)
{
    uint64_t now = clock_ns(CLOCK_REALTIME), from = c->watched_count ? c->watched[0].coverage.from_ns : now;

    if (!c->watched_count || c->options.stored)
        return;
    sbuf_add_str(out, " in ");
    add_duration(out, now > from ? now - from : 0);
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

/* ---- JSON ---- */

static void add_times(struct sbuf *out, uint64_t from_ns, uint64_t to_ns)
{
    json_key(out, JSON_KEY("from"));
    ecs_write_time(out, from_ns);
    if (to_ns) {
        json_key(out, JSON_KEY("to"));
        ecs_write_time(out, to_ns);
    }
}

static void add_only(struct sbuf *out, struct bytes only)
{
    if (!only.len)
        return;
    (void)json_open(out, JSON_ARRAY("only"));
    while (only.len)
        json_element(out, bytes_next_field(&only, '\0'));
    json_close_array(out);
}

static void add_permissions(struct sbuf *out, unsigned watched)
{
    if (!watched)
        return;
    (void)json_open(out, JSON_ARRAY("permissions"));
    for (size_t i = 0; i < ARRAY_SIZE(permissions); i++)
        if (watched & permissions[i].permission)
            json_element(out, bytes_of(permissions[i].name));
    json_close_array(out);
}

static void add_span_json(struct sbuf *out, const struct watched *w)
{
    const struct coverage *v = &w->coverage;

    json_open_element(out);
    json_key(out, JSON_TEXT_KEY("sensor"));
    ecs_write_sensors(out, v->sensors);
    sbuf_add_char(out, '"');
    add_times(out, v->from_ns, v->to_ns);
    if (w->spans > 1) {
        json_number(out, JSON_KEY("spans"), w->spans);
        json_fraction(out, JSON_KEY("not_watched_seconds"), (double)w->between_ns / 1e9, 3);
    }
    json_bytes(out, JSON_KEY("watch"), v->watch);
    add_permissions(out, v->permissions);
    add_only(out, v->only);
    json_bytes(out, JSON_KEY("narrowed"), v->narrowed);
    json_bytes(out, JSON_KEY("not_seen"), v->not_seen);
    if (v->host_id.len) {
        json_string(out, JSON_MEMBER("host", "id"), v->host_id);
        json_bytes(out, JSON_KEY("name"), v->host_name);
        json_close(out);
    }
    json_close(out);
}

static void add_question_json(struct sbuf *out, const struct case_question *q)
{
    enum coverage_extent extent = coverage_sum_extent(&q->sum, clock_ns(CLOCK_REALTIME));

    json_open_element(out);
    json_string(out, JSON_KEY("target"), q->target);
    json_string(out, JSON_KEY("extent"),
                bytes_of(extent == COVERAGE_NEVER && q->removed_ns ? "removed" : coverage_extent_name(extent)));
    if (q->removed_ns) {
        json_key(out, JSON_KEY("removed_before"));
        ecs_write_time(out, q->removed_ns);
    }
    if (bytes_known(q->nearest.shown)) {
        json_string(out, JSON_MEMBER("nearest", "target"), q->nearest.shown);
        add_times(out, q->nearest.from_ns, q->nearest.to_ns);
        json_close(out);
    }
    json_close(out);
}

void coverage_write_json(const struct case_ *c, struct sbuf *out)
{
    (void)json_open(out, JSON_ARRAY("coverage"));
    for (size_t i = 0; i < c->watched_count; i++)
        add_span_json(out, &c->watched[i]);
    json_close_array(out);
    if (c->questions) {
        (void)json_open(out, JSON_ARRAY("watched"));
        for (const struct case_question *q = c->questions; q; q = q->next)
            add_question_json(out, q);
        json_close_array(out);
    }
    json_flag(out, JSON_KEY("lost_unknown"), c->lost_unknown); /* at least `lost`; 0 would say that nothing was */
    if (c->lost || !c->lost_unknown)
        json_number(out, JSON_KEY("lost"), c->lost);
    json_number(out, JSON_KEY("gaps"), c->gap_count + c->gaps_beyond);
    if (c->filtered)
        json_number(out, JSON_KEY("filtered"), c->filtered);
    if (c->allowed)
        json_number(out, JSON_KEY("allowed"), c->allowed);
}
