/* SPDX-License-Identifier: MIT */
/* Times in words: with the day where it is not today, in a rhythm where there is one. */
#include "report/when.h"

#include <stdlib.h>
#include <time.h>

#include "event/sentence.h"
#include "report/case_state.h"
#include "report/names.h"
#include "report/tally.h"
#include "util/escape.h"

#define START_NS (600 * (int64_t)NS_PER_S) /* later than this nobody looks for a reason in the start */
#define RHYTHM_MIN 3                       /* occasions */
#define DAY_S 86400

struct tm when_local(uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_S);
    struct tm tm;

    localtime_r(&seconds, &tm);
    return tm;
}

bool when_is_same_day(const struct tm *a, const struct tm *b)
{
    return a->tm_yday == b->tm_yday && a->tm_year == b->tm_year;
}

static void add_clock(uint64_t time_ns, bool with_ms, struct sbuf *out)
{
    struct tm tm = when_local(time_ns);

    if (with_ms)
        sentence_time(out, time_ns, tm.tm_gmtoff);
    else
        sbuf_addf(out, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* " on Fri 27 Nov", with the year where it is not this one; nothing today. */
static void add_day(uint64_t time_ns, struct sbuf *out)
{
    struct tm tm = when_local(time_ns), now = when_local((uint64_t)time(NULL) * NS_PER_S);
    char text[32];

    if (when_is_same_day(&tm, &now))
        return;
    strftime(text, sizeof(text), tm.tm_year == now.tm_year ? "%a %-d %b" : "%a %-d %b %Y", &tm);
    sbuf_addf(out, " on %s", text);
}

void when_time(uint64_t time_ns, bool with_ms, struct sbuf *out)
{
    add_clock(time_ns, with_ms, out);
    add_day(time_ns, out);
}

static bool same_clock(uint64_t a, uint64_t b, bool with_ms)
{
    return with_ms ? a / NS_PER_MS == b / NS_PER_MS : a / NS_PER_S == b / NS_PER_S;
}

void when_range(uint64_t first_ns, uint64_t last_ns, bool with_ms, struct sbuf *out)
{
    struct tm first = when_local(first_ns), last = when_local(last_ns);

    if (last_ns <= first_ns || same_clock(first_ns, last_ns, with_ms)) {
        sbuf_add_str(out, "at ");
        when_time(first_ns, with_ms, out);
        return;
    }
    sbuf_add_str(out, "from ");
    add_clock(first_ns, with_ms, out);
    if (!when_is_same_day(&first, &last))
        add_day(first_ns, out);
    sbuf_add_str(out, " to ");
    when_time(last_ns, with_ms, out);
}

/* ---- after the start of a container ---- */

static int compare_starts(const void *a, const void *b)
{
    const struct start *x = a, *y = b;

    return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

static void add_seconds(int64_t low, int64_t high, struct sbuf *out)
{
    if (high - low < (int64_t)NS_PER_S / 10)
        sbuf_addf(out, "%.1f s", (double)low / 1e9);
    else
        sbuf_addf(out, "%.1f to %.1f s", (double)low / 1e9, (double)high / 1e9);
}

/* The container whose starts they are; one that was created anew under its name is the same one. NULL: there are several. */
static const struct container *victim_of(const struct culprit *s)
{
    const struct container *victim = NULL;

    for (const struct tally *t = s->tallies; t; t = t->next) {
        if (!t->victim || !t->start_ns)
            continue;
        if (victim && !case_victim_same(victim, t->victim))
            return NULL;
        victim = t->victim;
    }
    return victim;
}

/* "after each of web's last 5 starts, 0.9 to 1.3 s after the start" */
static bool add_starts(const struct case_ *c, const struct culprit *s, struct sbuf *out)
{
    const struct container *victim = victim_of(s);
    struct start starts[STARTS_MAX];
    int64_t low = INT64_MAX, high = INT64_MIN;

    if (s->start_count < 2 || !victim)
        return false;
    memcpy(starts, s->starts, sizeof(starts));
    qsort(starts, s->start_count, sizeof(starts[0]), compare_starts);
    for (size_t i = 0; i < s->start_count; i++) {
        low = MIN(low, starts[i].since_ns);
        high = MAX(high, starts[i].since_ns);
    }
    if (low < 0 || high > START_NS)
        return false;
    if (c->starts > s->start_count)
        sbuf_addf(out, "after %zu of ", s->start_count);
    else
        sbuf_add_str(out, "after each of ");
    name_container(out, victim);
    sbuf_addf(out, "'s last %llu starts, ", (unsigned long long)MAX(c->starts, (uint64_t)s->start_count));
    add_seconds(low, high, out);
    sbuf_add_str(out, " after the start");
    return true;
}

/* ---- rhythm ---- */

/* 0: there is none. */
static uint64_t interval(const struct rhythm *r)
{
    uint64_t mean;

    if (r->unknown || r->occasions < RHYTHM_MIN)
        return 0;
    mean = (r->last_ns - r->first_ns) / (r->occasions - 1);
    return r->high_ns - r->low_ns <= MAX(mean / 4, ONCE_NS) ? mean : 0;
}

/* "about every minute", "about every 30 minutes" */
static void add_interval(uint64_t ns, struct sbuf *out)
{
    static const struct {
        uint64_t seconds;
        const char *one;
    } units[] = { { DAY_S, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
    uint64_t seconds = (ns + NS_PER_S / 2) / NS_PER_S;

    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        uint64_t n = (seconds + units[i].seconds / 2) / units[i].seconds;

        /* 90 minutes are not "about every 2 hours" */
        if (n == 0 || (n < 3 && units[i].seconds > 1 &&
                       (seconds > n * units[i].seconds ? seconds - n * units[i].seconds : n * units[i].seconds - seconds) *
                               10 > units[i].seconds * n))
            continue;
        if (n == 1)
            sbuf_addf(out, "about every %s", units[i].one);
        else
            sbuf_addf(out, "about every %llu %ss", (unsigned long long)n, units[i].one);
        return;
    }
}

/* "6 times, about every minute" */
static bool add_rhythm(const struct culprit *s, struct sbuf *out)
{
    uint64_t every = interval(&s->rhythm);

    if (!every)
        return false;
    sbuf_addf(out, "%llu times, ", (unsigned long long)s->rhythm.occasions);
    add_interval(every, out);
    return true;
}

void when_pattern(const struct case_ *c, const struct culprit *s, struct sbuf *out)
{
    if (!add_starts(c, s, out))
        (void)add_rhythm(s, out);
}

bool when_has_rhythm(const struct culprit *s)
{
    return interval(&s->rhythm) != 0;
}

/* ---- the end of the sentence ---- */

static bool add_since_start(const struct tally *const *said, size_t count, uint64_t first_ns, uint64_t last_ns,
                            struct sbuf *out)
{
    int64_t low, high;

    for (size_t i = 0; i < count; i++)
        if (!said[i]->victim || !said[i]->start_ns || said[i]->start_ns != said[0]->start_ns)
            return false;
    low = (int64_t)(first_ns - said[0]->start_ns);
    high = (int64_t)(last_ns - said[0]->start_ns);
    if (low < 0 || high > START_NS)
        return false;
    sbuf_add_str(out, ", ");
    add_seconds(low, high, out);
    sbuf_add_str(out, " after ");
    name_container(out, said[0]->victim);
    sbuf_add_str(out, " started");
    return true;
}

void when_sentence(const struct case_ *c, const struct culprit *s, const struct tally *const *said, size_t count,
                   struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf pattern = SBUF_INIT;
    uint64_t first = UINT64_MAX, last = 0;

    for (size_t i = 0; i < count; i++) {
        first = MIN(first, said[i]->first_ns);
        last = MAX(last, said[i]->last_ns);
    }
    if (!count)
        return;
    if (add_starts(c, s, &pattern)) {
        sbuf_add_str(out, ", ");
        sbuf_add_bytes(out, sbuf_bytes(&pattern));
    } else if (add_rhythm(s, &pattern)) {
        sbuf_add_str(out, ", ");
        sbuf_add_bytes(out, sbuf_bytes(&pattern));
        sbuf_add_str(out, ", last at ");
        when_time(last, false, out);
    } else if (!add_since_start(said, count, first, last, out)) {
        sbuf_add_str(out, ", ");
        when_range(first, last, false, out);
    }
}
