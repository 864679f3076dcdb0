/* SPDX-License-Identifier: MIT */
#include "alert/alerts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/alerts_state.h"
#include "util/clock.h"

#define MATTERS_MAX 256 /* open at a time; what comes beyond them is one */
#define CASES_MAX 24    /* of them have all that a verdict needs: some hundred kB each, 7 MB at most */
#define TICK_NS (100 * NS_PER_MS)
#define ENGINE_SILENT_NS (60 * NS_PER_S) /* an engine on a busy machine is silent for seconds; with that nothing need be done */

int alerts_new(const struct alerts_options *options, struct alerts **ret)
{
    struct alerts *a = calloc(1, sizeof(*a));

    if (!a)
        return -ENOMEM;
    a->options = *options;
    a->usual = usual_new();
    a->starts = starts_new();
    if (!a->usual || !a->starts) {
        alerts_free(a);
        return -ENOMEM;
    }
    *ret = a;
    return 0;
}

struct usual *alerts_usual(struct alerts *a)
{
    return a->usual;
}

void alerts_drop(struct alerts *a, struct matter *m)
{
    HASH_DEL(a->matters, m);
    a->cases -= m->case_ != NULL;
    a->counts.open--;
    matter_free(m);
}

void alerts_free(struct alerts *a)
{
    struct matter *m, *next;

    if (!a)
        return;
    HASH_ITER(hh, a->matters, m, next)
        alerts_drop(a, m);
    alert_series_done(&a->by_watch);
    usual_free(a->usual);
    starts_free(a->starts);
    renewed_done(&a->renewed);
    decisions_done(&a->decisions);
    silences_done(&a->silences);
    redact_done(&a->redact);
    arena_done(&a->arena);
    free(a);
}

void alerts_set_rules(struct alerts *a, const struct expect_rules *rules)
{
    a->rules = *rules;
    a->rules_number++;
}

void alerts_set_redaction(struct alerts *a, struct redact_rules rules)
{
    redact_set(&a->redact, rules);
}

void alerts_set_coverage(struct alerts *a, struct bytes sensors, struct bytes not_seen)
{
    arena_done(&a->arena);
    a->sensors = arena_copy(&a->arena, sensors);
    a->not_seen = arena_copy(&a->arena, not_seen);
}

/* ---- matters ---- */

static struct matter *find(const struct alerts *a, struct fingerprint key)
{
    struct matter *m;

    HASH_FIND(hh, a->matters, &key, sizeof(key), m);
    return m;
}

/* Takes it over, NULL too. NULL: out of memory. */
static struct matter *put(struct alerts *a, struct matter *m)
{
    struct fingerprint_maker of;

    if (!m)
        return NULL;
    HASH_ADD(hh, a->matters, key, sizeof(m->key), m);
    if (!m->hh.tbl) {
        matter_free(m);
        return NULL;
    }
    m->number = ++a->last_number;
    fingerprint_begin(&of); /* unlike that of any other matter, on any host */
    fingerprint_add_word(&of, m->key.number);
    fingerprint_add_word(&of, m->key.rest);
    fingerprint_add_word(&of, m->first_ns);
    fingerprint_add_word(&of, m->number);
    if (a->options.host) {
        fingerprint_add(&of, a->options.host->id);
        fingerprint_add(&of, a->options.host->boot_id);
    }
    fingerprint_text(fingerprint_end(&of), m->id);
    a->counts.open++;
    a->cases += m->case_ != NULL;
    return m;
}

/* NULL: out of memory. */
static struct matter *add_own(struct alerts *a, const char *what, enum severity severity, const char *text, uint64_t now_ns)
{
    struct fingerprint key = matter_own_key(what);
    struct matter *m = find(a, key);
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

    redact_text(&a->redact, bytes_of(text), &shown);
    if (!m)
        m = put(a, matter_new_own(key, what, sbuf_str(&shown)));
    if (m)
        matter_add_own(m, severity, sbuf_str(&shown), now_ns);
    return m;
}

/* More causes at a time than are kept apart are one matter, which says so. */
static struct matter *add_crowd(struct alerts *a, enum severity severity, uint64_t now_ns)
{
    struct matter *m = add_own(a, "crowd", severity,
                               "Changes of more causes at a time than are kept apart: the record has them all (culprit who).", now_ns);

    a->counts.crowded += m != NULL;
    return m;
}

/* shown: NULL: out of memory. */
static struct matter *matter_of(struct alerts *a, const struct event *event, const struct event *shown, struct fingerprint key)
{
    struct matter *m = shown ? find(a, key) : NULL;

    if (m || !shown)
        return m;
    if (a->counts.open < MATTERS_MAX)
        m = put(a, matter_new(key, shown, a->options.host, a->cases < CASES_MAX));
    if (m)
        m->watched = arena_copy(&m->arena, event->watch_text);
    return m;
}

struct facts alerts_facts(const struct alerts *a, const struct matter *m)
{
    struct facts facts = m->facts;

    facts.starts_known = starts_each(a->starts, m->victim, m->key, &facts.starts);
    return facts;
}

bool alerts_emit(struct alerts *a, struct matter *m, enum alert_state state, uint64_t now_ns)
{
    const struct matter_surroundings with = { a->options.host, a->sensors, a->not_seen };
    _cleanup_sbuf_ struct sbuf sentence = SBUF_INIT, line = SBUF_INIT;
    struct alert alert;

    m->facts = alerts_facts(a, m);
    matter_write(m, state, &with, &sentence, &line);
    if (sbuf_error(&sentence) < 0 || sbuf_error(&line) < 0)
        return false;
    if (!m->emitted) {
        a->counts.begun[m->severity]++;
        alert_series_add(&a->by_watch, false, m->severity, m->watched);
    }
    m->emitted++;
    m->emitted_ns = now_ns;
    m->emitted_events = m->events;
    m->emitted_severity = m->severity;
    m->acts_unsaid = false;
    a->counts.emitted++;
    alert = (struct alert){ .state = state,
                            .severity = m->severity,
                            .id = m->id,
                            .events = m->events,
                            .first_ns = m->first_ns,
                            .victim = m->victim,
                            .watch = m->watch,
                            .watched = m->watched,
                            .sentence = sbuf_bytes(&sentence),
                            .line = sbuf_bytes(&line) };
    a->options.emit(a->options.data, &alert);
    return true;
}

/* ---- what comes ---- */

static void decide(struct alerts *a, const struct event *event, struct decision d)
{
    memcpy(d.event, event->id, sizeof(d.event));
    d.rules = a->rules_number;
    decisions_add(&a->decisions, &d);
}

static void add_renewed(const struct alerts *a, struct matter *m, const struct event *event, const struct event *shown,
                        const struct usual_answer *usual)
{
    uint64_t renewed_ns = renewed_find(&a->renewed, event);
    struct renewed_versions versions = renewed_versions(&a->renewed, event, renewed_ns);

    facts_set_renewed(&m->facts, event, usual, renewed_program(shown), renewed_ns, &versions);
}

/* It belongs to a matter. What is said of it may be less than what is judged. */
static void report(struct alerts *a, const struct event *event, struct fingerprint key, const struct usual_answer *usual, unsigned row,
                   struct decision *d, uint64_t now_ns)
{
    struct event *redacted = redact_is_on(&a->redact) ? redact_event(&a->redact, event) : NULL;
    const struct event *shown = redact_is_on(&a->redact) ? redacted : event;
    struct matter *m = matter_of(a, event, shown, key);

    if (m && severity_depends_on_made(event, row) && made_has(&m->made, event, now_ns)) {
        row = severity_find(event, a->options.own, a->options.own_count, true);
        d->row = (uint8_t)row;
    }
    a->counts.reported++;
    starts_event(a->starts, event, key);
    if (m) {
        matter_add(m, event, shown, row, now_ns);
        facts_add(&m->facts, event, usual);
        if (m->events == 1)
            add_renewed(a, m, event, shown, usual);
    } else {
        m = add_crowd(a, severity_row(row)->severity, now_ns);
    }
    d->matter = m ? m->number : 0;
    if (m && a->options.reported && bytes_known(m->first_event))
        a->options.reported(a->options.data, event, m->id);
    event_free(redacted);
}

static const struct silence *silence_of(struct alerts *a, const struct event *event, struct fingerprint key, unsigned row)
{
    if (!a->silences.count || severity_row(row)->techniques & TECHNIQUE_DEFENCES) /* whoever attacks culprit does not silence it */
        return NULL;
    return silences_take(&a->silences, event, key);
}

void alerts_event(struct alerts *a, const struct event *event, uint64_t now_ns)
{
    const struct expect_block *block;
    enum expected expected = expected_find(&a->rules, event, &block);
    struct decision d = { .expected = (uint8_t)expected, .block = block ? (uint16_t)(block - a->rules.blocks) : 0 };
    const struct silence *silence = NULL;
    struct usual_answer usual;
    unsigned row = 0;

    a->counts.seen++;
    usual_event(a->usual, event, &usual); /* what is expected is usual as well */
    if (expected != EXPECTED_NONE) {
        a->counts.expected[expected]++;
        alert_series_add(&a->by_watch, true, expected, event->watch_text);
    } else {
        const struct fingerprint key = matter_key(event);

        row = severity_find(event, a->options.own, a->options.own_count, false);
        d.row = (uint8_t)row;
        silence = silence_of(a, event, key, row);
        if (!silence)
            report(a, event, key, &usual, row, &d, now_ns);
    }
    if (silence) {
        a->counts.silenced++;
        d.silence = silence->number;
    }
    renewed_add(&a->renewed, event);
    decide(a, event, d);
    alerts_tick(a, now_ns);
}

void alerts_own(struct alerts *a, const char *what, enum severity severity, const char *text, uint64_t now_ns)
{
    (void)add_own(a, what, severity, text, now_ns);
}

void alerts_life(struct alerts *a, const struct lifecycle_event *life)
{
    starts_life(a->starts, life);
}

/* What was not seen may have been anything. */
static void doubt_what_is_usual(struct alerts *a, const struct gap *gap)
{
    uint64_t until_ns = MAX(gap->from_ns, gap->to_ns);

    if (gap->reason == LOST_VIEWER)
        return;
    usual_interrupt(a->usual, until_ns ? until_ns : clock_ns(CLOCK_REALTIME));
    if (gap->reason == LOST_ENGINE)
        starts_forget(a->starts);
}

void alerts_act(struct alerts *a, const char *id, const char *text)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;
    struct matter *m, *next;

    redact_text(&a->redact, bytes_of(text), &shown);
    HASH_ITER(hh, a->matters, m, next) {
        if (strcmp(m->id, id) != 0)
            continue;
        if (m->acts.len + shown.len < MATTER_ACTS_MAX)
            sbuf_addf(&m->acts, "%s%s", m->acts.len ? "\n" : "", sbuf_str(&shown));
        m->acts_unsaid = true;
        a->next_tick_ns = 0;
    }
}

/* Does the alert of that matter say something else, as of another place? */
static bool says_another(const struct alerts *a, const char *what, const char *text)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;
    const struct matter *m = find(a, matter_own_key(what));

    redact_text(&a->redact, bytes_of(text), &shown);
    return m && !bytes_equal(m->sentence, sbuf_bytes(&shown));
}

/* Changes are seen all the same: only which container it was, of those that start meanwhile, may not be known. */
static void report_silent_engine(struct alerts *a, uint64_t now_ns)
{
    char text[LIMIT_ERR];

    a->silence_due_ns = 0;
    snprintf(text, sizeof(text), "culprit may not know every container: %s.", a->silent_engine.text);
    alerts_own(a, "engine-silent", SEVERITY_LOW, text, now_ns);
}

static void note_silent_engine(struct alerts *a, const struct gap *gap, uint64_t now_ns)
{
    bool ends = gap->to_ns > gap->from_ns;

    if (!ends && !a->silence_due_ns) {
        a->silent_engine = *gap;
        a->silence_due_ns = now_ns + ENGINE_SILENT_NS;
    } else if (ends && a->silence_due_ns && strcmp(gap->text, a->silent_engine.text) == 0) {
        if (gap->to_ns - gap->from_ns >= ENGINE_SILENT_NS)
            report_silent_engine(a, now_ns);
        a->silence_due_ns = 0;
    }
}

void alerts_gap(struct alerts *a, const struct gap *gap, uint64_t now_ns)
{
    char what[32], text[LIMIT_ERR];

    doubt_what_is_usual(a, gap);
    if (gap->reason == LOST_ENGINE) {
        note_silent_engine(a, gap, now_ns);
        return;
    }
    if (gap->reason == LOST_PROCESS_EVENTS || gap->reason == LOST_VIEWER || gap->reason <= LOST_NONE || gap->reason >= LOST_COUNT)
        return; /* names may be missing, changes are not; and the record has what a viewer did not read */
    snprintf(what, sizeof(what), "gap-%u", (unsigned)gap->reason);
    if (gap->count)
        snprintf(text, sizeof(text), "culprit lost %llu events: %s.", (unsigned long long)gap->count, gap->text);
    else
        snprintf(text, sizeof(text), "culprit may have missed events: %s.", gap->text);
    if (!gap->count && says_another(a, what, text)) /* whoever reads of the newest alone takes the others for seen */
        snprintf(text, sizeof(text), "culprit may have missed events, more than once: culprit who has each time and place.");
    alerts_own(a, what, SEVERITY_HIGH, text, now_ns);
}

void alerts_tick(struct alerts *a, uint64_t now_ns)
{
    struct matter *m, *next;
    enum alert_state state;

    if (now_ns < a->next_tick_ns)
        return;
    a->next_tick_ns = now_ns + TICK_NS;
    if (a->silence_due_ns && now_ns >= a->silence_due_ns)
        report_silent_engine(a, now_ns);
    HASH_ITER(hh, a->matters, m, next) {
        if (!matter_is_due(m, now_ns, &state))
            continue;
        if (alerts_emit(a, m, state, now_ns) && state == ALERT_RESOLVED)
            alerts_drop(a, m);
    }
}

void alerts_end(struct alerts *a, uint64_t now_ns)
{
    struct matter *m, *next;

    HASH_ITER(hh, a->matters, m, next)
        if (m->events > m->emitted_events)
            (void)alerts_emit(a, m, m->emitted ? ALERT_GOES_ON : ALERT_BEGINS, now_ns);
}
