/* SPDX-License-Identifier: MIT */
/* Silences of what is judged: that they begin and end is said as all else. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "alert/alerts.h"
#include "alert/alerts_state.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"

#define LATE_NS (2 * NS_PER_S) /* from a change to its judgement */

static void add_moment(struct sbuf *out, uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_S);
    char text[40];
    struct tm tm;

    if (localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &tm))
        sbuf_add_str(out, text);
}

/* "ann as root" */
static void add_author(const struct alerts *a, struct bytes by, struct sbuf *out)
{
    if (!a->redact.rules.users || bytes_equal_str(by, "root"))
        escape_terminal(out, by);
    else
        sbuf_add_str(out, REDACTED);
}

/* Who silenced what is as much to be known as what he silenced. */
static void say_silence(struct alerts *a, const struct silence *s, bool ended, uint64_t now_ns)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    char what[32];

    snprintf(what, sizeof(what), "silence-%u", s->number);
    if (ended)
        sbuf_addf(&text, "Silence %u is over, %llu change%s silenced: ", s->number, (unsigned long long)s->events,
                  s->events == 1 ? " was" : "s were");
    else
        sbuf_addf(&text, "Silence %u begins, until ", s->number);
    if (!ended) {
        add_moment(&text, s->until_ns);
        sbuf_add_str(&text, ": ");
    }
    escape_terminal(&text, s->target.len ? s->target : s->what);
    sbuf_add_str(&text, "; by ");
    add_author(a, s->by, &text);
    sbuf_add_str(&text, ": ");
    escape_terminal(&text, s->reason);
    alerts_own(a, what, SEVERITY_MEDIUM, sbuf_str(&text), now_ns);
}

int alerts_take_silence(struct alerts *a, const struct silence *silence)
{
    const struct silence *kept;

    return silences_add(&a->silences, silence, &kept);
}

int alerts_silence(struct alerts *a, const struct silence *silence, uint64_t now_ns, const struct silence **ret)
{
    int r = silences_add(&a->silences, silence, ret);

    if (r == 0)
        say_silence(a, *ret, false, now_ns);
    return r;
}

int alerts_silence_alert(struct alerts *a, struct bytes id, const struct silence *silence, uint64_t now_ns, const struct silence **ret)
{
    _cleanup_sbuf_ struct sbuf what = SBUF_INIT, line = SBUF_INIT;
    const struct matter_surroundings with = { a->options.host, a->sensors, a->not_seen };
    struct matter *found = NULL;
    struct silence s = *silence;
    int r;

    for (struct matter *m = a->matters; m; m = m->hh.next) {
        if (!id.len || !bytes_starts_with(bytes_of(m->id), id))
            continue;
        if (found)
            return -EEXIST;
        found = m;
    }
    if (!found)
        return -ENOENT;
    if (!found->first_event.len)
        return -EPERM;
    matter_write(found, ALERT_RESOLVED, &with, &what, &line);
    s.matter = found->key;
    s.what = sbuf_bytes(&what);
    r = alerts_silence(a, &s, now_ns, ret);
    if (r < 0)
        return r;
    found->silenced = true;
    if (found->emitted)
        (void)alerts_emit(a, found, ALERT_RESOLVED, now_ns); /* nobody has to wait for its end */
    alerts_drop(a, found);
    return 0;
}

static void end_silence(struct alerts *a, const struct silence *s, uint64_t now_ns)
{
    uint32_t number = s->number;

    say_silence(a, s, true, now_ns);
    silences_remove(&a->silences, number);
    if (a->options.silence_ended)
        a->options.silence_ended(a->options.data, number);
}

int alerts_unsilence(struct alerts *a, uint32_t number, uint64_t now_ns, uint64_t *ret_events)
{
    const struct silence *s = silences_by_number(&a->silences, number);

    if (!s)
        return -ENOENT;
    *ret_events = s->events;
    end_silence(a, s, now_ns);
    return 0;
}

const struct silences *alerts_silences(const struct alerts *a)
{
    return &a->silences;
}

/* What happened before its end may come a moment later. */
void alerts_end_silences(struct alerts *a, uint64_t now_ns)
{
    const struct silence *s;

    while (a->silences.count && (s = silences_ended(&a->silences, clock_ns(CLOCK_REALTIME) - LATE_NS)) != NULL)
        end_silence(a, s, now_ns);
}
