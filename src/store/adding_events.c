/* SPDX-License-Identifier: MIT */
/* Adding events, moments of containers' lives, gaps, and how far a log was imported. */
#include <errno.h>

#include "store/adding.h"
#include "store/sender.h"
#include "store/store.h"

#define NUMBERS 65536 /* from one event to the next: so many may come to be expected between */

void store_expect_event(struct store *s, struct event *event, uint64_t number)
{
    struct spool_numbers stored;
    uint64_t seen_ns;
    struct spool *spool = adding_spool(s, &stored, &seen_ns);

    if (!number)
        number = s->adding->counted.at[SPOOL_EVENTS] += NUMBERS;
    event->spooled = number;
    if (spool)
        spool_add_event(spool, event, event->spooled, &stored);
}

void store_keep(struct store *s)
{
    struct spool_numbers stored;
    uint64_t seen_ns;
    struct spool *spool = adding_spool(s, &stored, &seen_ns);

    if (spool)
        spool_write(spool, seen_ns, &stored);
}

int store_add_event(struct store *s, struct event *event)
{
    struct missing_span span = { 1, event->time_ns, event->time_ns };
    struct begun_message m;

    if (!event->spooled)
        store_expect_event(s, event, 0);
    if (!adding_begin(s, QUEUE_MAX, &span, &m))
        return m.condition.error ? m.condition.error : -ENOBUFS;
    sender_event(s->adding->sender, event, &s->queue->filling);
    s->queue->spooled.at[SPOOL_EVENTS] = MAX(s->queue->spooled.at[SPOOL_EVENTS], event->spooled);
    return adding_end(s, &span, &m);
}

int store_add_life(struct store *s, const struct lifecycle_event *life)
{
    struct spool_numbers stored;
    uint64_t seen_ns, number = ++s->adding->counted.at[SPOOL_OTHERS];
    struct spool *spool = adding_spool(s, &stored, &seen_ns);
    struct begun_message m;

    if (spool)
        spool_add_life(spool, life, number, &stored);
    if (!adding_begin(s, QUEUE_MAX + QUEUE_RESERVE, ADDING_NO_EVENT, &m))
        return -ENOBUFS;
    sender_life(s->adding->sender, life, &s->queue->filling);
    s->queue->spooled.at[SPOOL_OTHERS] = number;
    return adding_end(s, ADDING_NO_EVENT, &m);
}

int store_add_gap(struct store *s, const struct gap *gap)
{
    struct missing_span span = { gap->count, gap->from_ns, gap->to_ns };
    struct spool_numbers stored;
    uint64_t seen_ns, number = ++s->adding->counted.at[SPOOL_OTHERS];
    struct spool *spool = adding_spool(s, &stored, &seen_ns);
    struct begun_message m;

    if (spool)
        spool_add_gap(spool, gap, number, &stored);
    if (!adding_begin(s, QUEUE_MAX + QUEUE_RESERVE, &span, &m))
        return -ENOBUFS;
    sender_gap(gap, &s->queue->filling);
    s->queue->spooled.at[SPOOL_OTHERS] = number;
    return adding_end(s, ADDING_NO_EVENT, &m);
}

int store_add_imported(struct store *s, const struct store_imported *imported)
{
    struct begun_message m;

    if (!adding_begin(s, QUEUE_MAX + QUEUE_RESERVE, ADDING_NO_EVENT, &m))
        return -ENOBUFS;
    sender_imported(imported, &s->queue->filling);
    return adding_end(s, ADDING_NO_EVENT, &m);
}
