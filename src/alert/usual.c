/* SPDX-License-Identifier: MIT */
#include "alert/usual.h"

#include <stdlib.h>

#include "alert/alert.h"
#include "alert/usual_state.h"
#include "cause/habit.h"
#include "util/macro.h"

#define ORDER_NS (60 * NS_PER_S)     /* which causes were seen longest ago is known so exactly */
#define KEEP_NS (3600 * NS_PER_S)    /* that one was seen again is worth being kept on disk so often */
#define CLOCK_SET_NS (2 * NS_PER_S)
#define EARLY_NS (60 * NS_PER_S)     /* no event is so much newer than the clock */

struct usual *usual_new(void)
{
    return calloc(1, sizeof(struct usual));
}

static void drop_cause(struct usual *u, struct usual_cause *c)
{
    HASH_DEL(u->causes, c);
    free(c);
}

static void drop_watch(struct usual *u, struct usual_watch *w)
{
    HASH_DEL(u->watches, w);
    free(w);
}

void usual_free(struct usual *u)
{
    struct usual_cause *c, *next_cause;
    struct usual_watch *w, *next_watch;

    if (!u)
        return;
    HASH_ITER(hh, u->causes, c, next_cause)
        drop_cause(u, c);
    HASH_ITER(hh, u->watches, w, next_watch)
        drop_watch(u, w);
    free(u);
}

void usual_set_learning(struct usual *u, uint64_t ns)
{
    u->learning_ns = ns;
}

/* ---- watches ---- */

static struct usual_watch *find_watch(const struct usual *u, struct bytes text)
{
    struct usual_watch *w = NULL;

    if (text.len)
        HASH_FIND(hh, u->watches, text.data, text.len, w);
    return w;
}

/* Nor are they kept on disk, where they would be of nothing. */
static void drop_causes_of(struct usual *u, uint64_t watch)
{
    struct usual_cause *c, *next;

    HASH_ITER(hh, u->causes, c, next)
        if (c->key.watch == watch)
            drop_cause(u, c);
}

/* One that is not watched any more makes room: what was known of it only made less be said. */
static bool make_room(struct usual *u)
{
    struct usual_watch *w, *next;

    if (HASH_COUNT(u->watches) < USUAL_WATCHES_MAX)
        return true;
    HASH_ITER(hh, u->watches, w, next)
        if (!w->since_ns) {
            drop_causes_of(u, w->number);
            drop_watch(u, w);
            u->dropped = true;
            return true;
        }
    return false;
}

/* NULL: there is no room for it. */
static struct usual_watch *put_watch(struct usual *u, struct bytes text)
{
    struct usual_watch *w = find_watch(u, text);

    if (w || !text.len || text.len > USUAL_WATCH_MAX || !make_room(u))
        return w;
    w = calloc(1, sizeof(*w) + text.len);
    if (!w)
        return NULL;
    memcpy(w->text, text.data, text.len);
    w->text_len = text.len;
    w->number = ++u->last_watch;
    w->lost = u->dropped;
    HASH_ADD_KEYPTR(hh, u->watches, w->text, text.len, w);
    if (w->hh.tbl)
        return w;
    free(w);
    return NULL;
}

void usual_begin_watches(struct usual *u)
{
    for (struct usual_watch *w = u->watches; w; w = w->hh.next)
        w->listed = false;
}

void usual_add_watch(struct usual *u, struct bytes watch, unsigned permissions, uint64_t now_ns)
{
    struct usual_watch *w = put_watch(u, watch);

    if (!w)
        return;
    w->listed = true;
    if (!w->since_ns || w->permissions != permissions)
        w->since_ns = now_ns;
    w->permissions = permissions;
}

void usual_end_watches(struct usual *u)
{
    for (struct usual_watch *w = u->watches; w; w = w->hh.next)
        if (!w->listed)
            w->since_ns = 0;
}

void usual_interrupt(struct usual *u, uint64_t now_ns)
{
    for (struct usual_watch *w = u->watches; w; w = w->hh.next)
        if (w->since_ns)
            w->since_ns = MAX(w->since_ns, now_ns);
}

/* Earlier than before, where the clock was set back. */
static void begin_anew(struct usual_watch *w, uint64_t now_ns)
{
    if (w->since_ns)
        w->since_ns = now_ns;
    w->forgotten_ns = MIN(w->forgotten_ns, now_ns);
    w->minutes = (struct minutes){ 0 };
}

void usual_clock(struct usual *u, uint64_t now_ns, uint64_t boot_ns)
{
    int64_t offset = (int64_t)(now_ns - boot_ns);

    if (u->clock_known && llabs(offset - u->clock_offset_ns) > (int64_t)CLOCK_SET_NS) {
        for (struct usual_watch *w = u->watches; w; w = w->hh.next)
            begin_anew(w, now_ns);
        for (struct usual_cause *c = u->causes; c; c = c->hh.next)
            c->seen_since_ns = 0; /* by another clock than what comes */
    }
    u->clock_known = true;
    u->now_ns = now_ns;
    u->clock_offset_ns = offset;
}

/* ---- the busiest ten minutes ---- */

static void keep_busiest(struct usual *u, struct usual_watch *w, uint64_t day, uint64_t busiest)
{
    struct usual_day *d = &w->days[day % ARRAY_SIZE(w->days)];

    if (d->day != day)
        *d = (struct usual_day){ .day = day };
    if (busiest <= d->busiest)
        return;
    d->busiest = busiest;
    u->changes++;
}

static uint64_t day_of(uint64_t time_ns)
{
    return time_ns / USUAL_DAY_NS;
}

/* The minutes before the last ten: whatever goes on now is not compared with its own beginning. */
static void keep_before(struct usual *u, struct usual_watch *w)
{
    uint64_t before = minutes_sum_before(&w->minutes);

    if (before)
        keep_busiest(u, w, day_of((w->minutes.newest - MINUTES) * 60 * NS_PER_S), before);
}

static void step_to(struct usual *u, struct usual_watch *w, uint64_t time_ns)
{
    while (minutes_step(&w->minutes, time_ns))
        keep_before(u, w);
}

static void count(struct usual *u, struct usual_watch *w, const struct event *e)
{
    step_to(u, w, e->time_ns);
    if (minutes_is_change(e))
        minutes_add(&w->minutes, e->time_ns);
}

void usual_end(struct usual *u)
{
    for (struct usual_watch *w = u->watches; w; w = w->hh.next)
        for (unsigned i = 0; i < 2 * MINUTES; i++)
            step_to(u, w, (w->minutes.newest + 1) * 60 * NS_PER_S);
}

static uint64_t busiest(const struct usual_watch *w, uint64_t now_ns)
{
    uint64_t most = 0;

    for (size_t i = 0; i < ARRAY_SIZE(w->days); i++)
        if (w->days[i].day + USUAL_DAYS >= day_of(now_ns))
            most = MAX(most, w->days[i].busiest);
    return most;
}

/* ---- causes ---- */

/* Since when it is known, of as much as is asked for: all that was recorded, or has been forgotten. 0: it is too short. */
static uint64_t known_since(const struct usual *u, uint64_t since_ns, uint64_t max_ns, uint64_t now_ns)
{
    if (!u->learning_ns || !since_ns)
        return 0;
    since_ns = MAX(since_ns, now_ns - MIN(now_ns, max_ns));
    return now_ns >= since_ns + MIN(u->learning_ns, max_ns) ? since_ns : 0;
}

static void forget(struct usual *u, struct usual_cause *c)
{
    for (struct usual_watch *w = u->watches; w; w = w->hh.next)
        if (w->number == c->key.watch) {
            w->forgotten_ns = MAX(w->forgotten_ns, c->last_ns);
            w->lost = true;
        }
    drop_cause(u, c);
}

/* The one that was seen last is the last one. NULL: out of memory. */
static struct usual_cause *append(struct usual *u, struct usual_cause *c)
{
    HASH_ADD(hh, u->causes, key, sizeof(c->key), c);
    if (c->hh.tbl)
        return c;
    free(c);
    return NULL;
}

static struct usual_cause *put_cause(struct usual *u, struct usual_cause_key key, bool *ret_made)
{
    struct usual_cause *c;

    HASH_FIND(hh, u->causes, &key, sizeof(key), c);
    *ret_made = !c;
    if (c)
        return c;
    if (HASH_COUNT(u->causes) >= USUAL_CAUSES_MAX)
        forget(u, u->causes);
    c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->key = key;
    return append(u, c);
}

static struct usual_cause *seen_now(struct usual *u, struct usual_cause *c, uint64_t time_ns)
{
    if (time_ns < c->last_ns + ORDER_NS) {
        c->last_ns = MAX(c->last_ns, time_ns);
        return c;
    }
    u->changes += time_ns >= c->kept_ns + KEEP_NS;
    c->kept_ns = time_ns >= c->kept_ns + KEEP_NS ? time_ns : c->kept_ns;
    c->last_ns = time_ns;
    HASH_DEL(u->causes, c);
    return append(u, c);
}

static void see_cause(struct usual *u, struct usual_watch *w, const struct event *e, struct usual_answer *ret)
{
    struct usual_cause_key key = { .cause = cause_find_habit(e), .watch = w->number };
    struct usual_cause *c = NULL;
    bool made = false;

    if (key.cause.number)
        c = put_cause(u, key, &made);
    if (c && (made || e->time_ns > c->last_ns + USUAL_CAUSE_NS)) {
        c->first_ns = e->time_ns;
        c->new_since_ns = known_since(u, MAX(w->since_ns, w->since_ns ? w->forgotten_ns : 0), USUAL_CAUSE_NS, e->time_ns);
    }
    if (c && made && !w->lost)
        c->seen_since_ns = e->time_ns;
    if (c)
        c = seen_now(u, c, e->time_ns);
    if (!c) { /* whoever it was may have been any cause */
        w->forgotten_ns = MAX(w->forgotten_ns, e->time_ns);
        w->lost |= key.cause.number != 0;
        return;
    }
    ret->seen_since_ns = c->seen_since_ns;
    if (c->new_since_ns && e->time_ns < c->first_ns + ALERT_QUIET_NS) {
        ret->new_since_ns = c->new_since_ns;
        ret->first_ns = c->first_ns;
    }
}

void usual_event(struct usual *u, const struct event *event, struct usual_answer *ret)
{
    struct usual_watch *w = find_watch(u, event->watch_text);

    *ret = (struct usual_answer){ 0 };
    if (!w || (u->clock_known && event->time_ns > u->now_ns + EARLY_NS)) /* the clock was set, or is known to be soon */
        return;
    count(u, w, event);
    see_cause(u, w, event, ret);
    ret->busiest = busiest(w, event->time_ns);
    ret->recent = minutes_sum_all(&w->minutes);
    ret->busiest_since_ns = known_since(u, w->since_ns, USUAL_DAYS * USUAL_DAY_NS, event->time_ns);
}

/* ---- what was kept ---- */

bool usual_take_day(struct usual *u, struct bytes watch, uint64_t day, uint64_t busiest, uint64_t now_ns)
{
    struct usual_watch *w = put_watch(u, watch);

    if (w)
        keep_busiest(u, w, MIN(day, day_of(now_ns)), busiest);
    return w != NULL;
}

bool usual_take_cause(struct usual *u, struct bytes watch, struct fingerprint cause, uint64_t last_ns, uint64_t now_ns)
{
    struct usual_watch *w = put_watch(u, watch);
    struct usual_cause *c = NULL;
    bool made;

    if (w && cause.number)
        c = put_cause(u, (struct usual_cause_key){ .cause = cause, .watch = w->number }, &made);
    if (c)
        c->last_ns = c->kept_ns = c->first_ns = c->seen_since_ns = MIN(last_ns, now_ns);
    return c != NULL;
}

bool usual_take_lost(struct usual *u, struct bytes watch)
{
    struct usual_watch *w = put_watch(u, watch);

    if (w)
        w->lost = true;
    return w != NULL;
}

uint64_t usual_changes(const struct usual *u)
{
    return u->changes;
}
