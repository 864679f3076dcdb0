/* SPDX-License-Identifier: MIT */
#include "alert/matter.h"

#include <stdlib.h>

#include "event/sentence.h"
#include "util/clock.h"

#define SENTENCE_COLUMNS 400 /* of the sentence of an event, where there is no case */

static struct matter *new_matter(struct fingerprint key)
{
    struct matter *m = calloc(1, sizeof(*m));

    if (m)
        m->key = key;
    return m;
}

struct fingerprint matter_key(const struct event *event)
{
    struct fingerprint cause = event->cause.key.number ? event->cause.key : event->suspect;
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add(&of, event->watch_text);
    fingerprint_add_word(&of, cause.number);
    fingerprint_add_word(&of, cause.rest);
    fingerprint_add_word(&of, event->victim != NULL);
    if (event->victim) /* by name: for people a container that was created anew is the same one */
        fingerprint_add(&of, event->victim->name.len ? event->victim->name : event->victim->id);
    return fingerprint_end(&of);
}

struct fingerprint matter_own_key(const char *what)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add(&of, bytes_of("culprit"));
    fingerprint_add(&of, bytes_of(what));
    return fingerprint_end(&of);
}

static struct bytes keep(struct matter *m, struct sbuf *text)
{
    struct bytes kept = sbuf_error(text) < 0 ? BYTES_NULL : arena_copy(&m->arena, sbuf_bytes(text));

    sbuf_done(text);
    return kept;
}

struct matter *matter_new(struct fingerprint key, const struct event *event, const struct ecs_host *host, bool with_case)
{
    struct sentence_style style = { .columns = SENTENCE_COLUMNS };
    struct case_options options = { .target = event->watch_text, .host_id = host ? host->id : BYTES_NULL };
    struct matter *m = new_matter(key);
    struct sbuf text = SBUF_INIT;

    if (!m)
        return NULL;
    m->watch = arena_copy(&m->arena, bytes_cut(event->watch_text, ALERT_WATCH_MAX));
    m->victim = container_ref(event->victim);
    m->first_file = arena_copy(&m->arena, event->path);
    m->first_ns = event->time_ns;
    sentence_event(&text, event, &style);
    m->sentence = keep(m, &text);
    ecs_write_event(&text, event, host);
    if (text.len && text.data[text.len - 1] == '\n')
        sbuf_truncate(&text, text.len - 1);
    m->first_event = keep(m, &text);
    if (with_case)
        m->case_ = case_new(&options);
    return m;
}

struct matter *matter_new_own(struct fingerprint key, const char *what, const char *text)
{
    struct matter *m = new_matter(key);

    if (!m)
        return NULL;
    m->watch = arena_copy(&m->arena, bytes_of(what));
    m->sentence = arena_copy(&m->arena, bytes_of(text));
    m->first_ns = clock_ns(CLOCK_REALTIME);
    if (!m->watch.data || !m->sentence.data) { /* there is nothing to be said of it */
        matter_free(m);
        return NULL;
    }
    return m;
}

void matter_free(struct matter *m)
{
    if (!m)
        return;
    case_free(m->case_);
    container_unref(m->victim);
    sbuf_done(&m->last_file);
    sbuf_done(&m->acts);
    made_done(&m->made);
    arena_done(&m->arena);
    free(m);
}

static void count(struct matter *m, enum severity severity, uint64_t now_ns)
{
    if (!m->events)
        m->begun_ns = now_ns;
    m->events++;
    m->last_event_ns = now_ns;
    m->severity = MAX(m->severity, severity);
}

void matter_add(struct matter *m, const struct event *event, const struct event *shown, unsigned row, uint64_t now_ns)
{
    const struct severity_row *r = severity_row(row);
    uint64_t numbers = ++m->rows[row];

    count(m, r->numbers && numbers >= r->numbers ? r->in_numbers : r->severity, now_ns);
    m->techniques |= r->techniques | (r->numbers && numbers >= r->numbers ? r->techniques_in_numbers : 0);
    m->first_ns = MIN(m->first_ns, event->time_ns);
    m->last_ns = MAX(m->last_ns, event->time_ns);
    sbuf_clear(&m->last_file);
    sbuf_add_bytes(&m->last_file, shown->path);
    made_add(&m->made, event, now_ns);
    if (m->case_)
        (void)case_add_event(m->case_, shown);
}

void matter_add_own(struct matter *m, enum severity severity, const char *text, uint64_t now_ns)
{
    count(m, severity, now_ns);
    m->last_ns = clock_ns(CLOCK_REALTIME);
    if (m->sentence.len != strlen(text) || memcmp(m->sentence.data, text, m->sentence.len) != 0) {
        struct bytes newer = m->arena.blocks && m->events < 64 ? arena_copy(&m->arena, bytes_of(text)) : BYTES_NULL;

        if (newer.data) /* keep the newest text only, so that memory stays bounded when it changes often */
            m->sentence = newer;
    }
}

bool matter_is_due(const struct matter *m, uint64_t now_ns, enum alert_state *ret)
{
    if (!m->emitted) {
        *ret = ALERT_BEGINS;
        return now_ns >= m->begun_ns + ALERT_FIRST_NS;
    }
    if (now_ns >= m->last_event_ns + ALERT_QUIET_NS) {
        *ret = ALERT_RESOLVED;
        return true;
    }
    *ret = ALERT_GOES_ON;
    return m->acts_unsaid || m->severity > m->emitted_severity || (m->events > m->emitted_events && now_ns >= m->emitted_ns + ALERT_UPDATE_NS);
}
