/* SPDX-License-Identifier: MIT */
/* Adding spans of observation. */
#include <errno.h>

#include "store/adding.h"
#include "store/open_coverage.h"
#include "store/sender.h"
#include "store/store.h"
#include "util/clock.h"

int store_begin_coverage(struct store *s, const struct coverage *coverage, uint64_t *ret_id)
{
    uint64_t number = ++s->adding->coverages;
    struct begun_message m;
    int r = coverage->to_ns ? 0 : open_coverage_add(&s->adding->open, number, coverage);

    *ret_id = number;
    if (r < 0)
        return r;
    if (!adding_begin(s, QUEUE_MAX + QUEUE_RESERVE, ADDING_NO_EVENT, &m))
        return -ENOBUFS;
    /* from its begin on nothing is claimed that store_seen() has not said: what is written first may not be all that there is */
    s->queue->seen_ns = MAX(s->queue->seen_ns, coverage->from_ns);
    sender_coverage(number, coverage, &s->queue->filling);
    return adding_end(s, ADDING_NO_EVENT, &m);
}

int store_add_coverage_place(struct store *s, uint64_t id, const struct coverage_place *place)
{
    struct open_coverage *open = *open_coverage_find(&s->adding->open, id);
    struct begun_message m;

    if (!adding_begin(s, QUEUE_MAX + QUEUE_RESERVE, ADDING_NO_EVENT, &m))
        return -ENOBUFS;
    sender_coverage_place(id, place, &s->queue->filling);
    if (open)
        open_coverage_add_place(open, place);
    return adding_end(s, ADDING_NO_EVENT, &m);
}

int store_end_coverage(struct store *s, uint64_t id, uint64_t to_ns)
{
    struct open_coverage **at = open_coverage_find(&s->adding->open, id);
    struct begun_message m;

    if (!adding_begin(s, QUEUE_MAX + QUEUE_RESERVE, ADDING_NO_EVENT, &m))
        return -ENOBUFS;
    sender_coverage_end(id, to_ns, &s->queue->filling);
    if (*at)
        open_coverage_remove(at);
    return adding_end(s, ADDING_NO_EVENT, &m);
}

void store_seen(struct store *s, uint64_t seen_ns)
{
    struct begun_message m;

    if (!adding_begin(s, QUEUE_MAX + QUEUE_RESERVE, ADDING_NO_EVENT, &m))
        return;
    /* what was said by a clock that was set back since is not so any more */
    s->queue->seen_ns = s->queue->seen_ns > clock_ns(CLOCK_REALTIME) ? seen_ns : MAX(s->queue->seen_ns, seen_ns);
    (void)adding_end(s, ADDING_NO_EVENT, &m);
    condition_log_fault(s->queue, s->log, &s->adding->logged);
}
