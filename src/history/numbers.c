/* SPDX-License-Identifier: MIT */
#include "history/numbers.h"

#include <stdbool.h>
#include <string.h>

#include "util/macro.h"

#define SECOND_MS 1000
#define OTHER_MAX 64 /* records: after that it is no broken stamp, and no other machine's */

/* ---- spans ---- */

static void join(struct numbers_span *to, const struct numbers_span *span)
{
    to->from_ms = MIN(to->from_ms, span->from_ms);
    to->to_ms = MAX(to->to_ms, span->to_ms);
    to->count += span->count;
}

static bool is_near(const struct missing *m, const struct numbers_span *a, const struct numbers_span *b)
{
    return b->from_ms <= a->to_ms + m->near_ms && a->from_ms <= b->to_ms + m->near_ms;
}

static void make_room(struct missing *m)
{
    while (m->count == MISSING_SPANS) {
        unsigned kept = 1;

        m->near_ms = m->near_ms < UINT64_MAX / 4 ? MAX(m->near_ms * 2, (uint64_t)SECOND_MS) : m->near_ms;
        for (unsigned i = 1; i < m->count; i++)
            if (is_near(m, &m->spans[kept - 1], &m->spans[i]) || m->near_ms >= UINT64_MAX / 4)
                join(&m->spans[kept - 1], &m->spans[i]);
            else
                m->spans[kept++] = m->spans[i];
        m->count = kept;
    }
}

static void add(struct missing *m, const struct numbers_span *span)
{
    if (m->count && is_near(m, &m->spans[m->count - 1], span)) {
        join(&m->spans[m->count - 1], span);
        return;
    }
    make_room(m);
    m->spans[m->count++] = *span;
}

/* They were not: the latest ones. */
static void take_back(struct missing *m, uint64_t n)
{
    while (n && m->count) {
        struct numbers_span *last = &m->spans[m->count - 1];
        uint64_t taken = MIN(n, last->count);

        last->count -= taken;
        n -= taken;
        m->count -= last->count == 0;
    }
}

struct numbers_span missing_between(const struct missing *m, uint64_t from_ms, uint64_t to_ms)
{
    struct numbers_span all = { 0 };

    for (unsigned i = 0; i < m->count; i++) {
        const struct numbers_span *s = &m->spans[i];

        if (s->to_ms < from_ms || (to_ms && s->from_ms > to_ms))
            continue;
        if (all.count)
            join(&all, s);
        else
            all = *s;
    }
    return all;
}

/* ---- numbers ---- */

static void mark(struct numbers *n, uint64_t serial, bool skipped)
{
    uint64_t bit = UINT64_C(1) << serial % 64, *word = &n->skipped[serial % NUMBERS_WINDOW / 64];

    *word = skipped ? *word | bit : *word & ~bit;
}

static bool is_skipped(const struct numbers *n, uint64_t serial)
{
    return n->skipped[serial % NUMBERS_WINDOW / 64] >> serial % 64 & 1;
}

static bool are_near(uint64_t a, uint64_t b)
{
    return a <= b + NUMBERS_NEAR && b <= a + NUMBERS_NEAR;
}

static void begin(struct numbers *n, uint64_t serial)
{
    memset(n->skipped, 0, sizeof(n->skipped)); /* what is before the first was not left out */
    n->last = serial;
}

static void leave(struct numbers *n, uint64_t other, uint64_t jumped)
{
    n->other = other;
    n->jumped = jumped;
    n->since = 0;
}

static void go_on(struct numbers *n, uint64_t serial, uint64_t time_ms, struct missing *m)
{
    uint64_t left_out = serial - n->last - 1;

    if (!are_near(serial, n->last))
        leave(n, n->last, left_out);
    for (uint64_t i = MAX(n->last + 1, serial > NUMBERS_WINDOW ? serial - NUMBERS_WINDOW + 1 : 0); i < serial; i++)
        mark(n, i, true);
    mark(n, serial, false);
    n->last = serial;
    if (left_out)
        add(m, &(struct numbers_span){ MIN(n->last_ms, time_ms), MAX(n->last_ms, time_ms), left_out });
}

static enum numbers_step move(struct numbers *n, uint64_t serial, uint64_t time_ms, struct missing *m)
{
    uint64_t before = n->last;

    if (n->other && n->since++ < OTHER_MAX && !are_near(serial, n->last) && are_near(serial, n->other)) {
        take_back(m, n->jumped);
        begin(n, serial);
        leave(n, before, 0);
        return NUMBERS_OTHER;
    }
    if (!n->last || (serial < n->last && !are_near(serial, n->last))) {
        begin(n, serial);
        leave(n, before, 0);
        return before ? NUMBERS_ANEW : NUMBERS_GO_ON;
    }
    if (serial > n->last) {
        go_on(n, serial, time_ms, m);
    } else if (is_skipped(n, serial)) {
        mark(n, serial, false);
        take_back(m, 1);
    }
    return NUMBERS_GO_ON;
}

enum numbers_step numbers_see(struct numbers *n, uint64_t serial, uint64_t time_ms, struct missing *m)
{
    enum numbers_step step;

    if (serial > UINT32_MAX) /* the kernel's counter has 32 bits */
        return NUMBERS_GO_ON;
    step = move(n, serial, time_ms, m);
    n->last_ms = time_ms;
    return step;
}
