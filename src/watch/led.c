/* SPDX-License-Identifier: MIT */
#include "watch/led.h"

#include <string.h>
#include <sys/stat.h>

#include "event/operation.h"
#include "foreign/mounts.h"
#include "util/clock.h"
#include "watch/count.h"
#include "watch/follow.h"
#include "watch/state.h"

/* What two sensors saw is one change. */
static void count(struct object *link, unsigned sensors)
{
    for (unsigned i = 0; i < LED_SENSORS; i++)
        if (sensors & 1u << i && link->led[i] < UINT8_MAX)
            link->led[i]++;
}

/* How often it was changed since the last call. */
static unsigned take_count(struct object *link)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LED_SENSORS; i++)
        n = MAX(n, link->led[i]);
    memset(link->led, 0, sizeof(link->led));
    return n;
}

void led_note(struct watchset *set, struct object *found, const struct event *event)
{
    const uint64_t time_ns = event->time_ns + (event->sensors == SENSOR_AUDIT ? NS_PER_MS - 1 : 0); /* whose stamps are cut to milliseconds */

    if (!found->place.link || event->error != 0)
        return;
    set->look = true;
    if (event->operation == OPERATION_UNLINK) /* a name that is gone leads nowhere */
        return;
    count(found, event->sensors);
    /* a time that has not come is of a clock that was set back since */
    found->led_ns = found->led_ns > clock_ns(CLOCK_REALTIME) ? time_ns : MAX(found->led_ns, time_ns);
}

/* What is watched of it since that poll. */
static bool missed_by(const struct watchset *set, const struct watch *w, uint32_t first, const struct stat *link)
{
    for (const struct object *o = w->objects; o; o = o->next) {
        if (o->place.object.id < first || o->place.link)
            continue;
        if (watch_permissions(set, w) & (PERMISSION_READ | PERMISSION_EXEC) ||
            !count_is_older(o->place.object.host_path, link->st_dev, clock_of(link->st_ctim)))
            return true;
    }
    return false;
}

/* Looks at the links of a watch that were changed, and at nothing any more. */
static bool missed(const struct watchset *set, struct watch *w, uint32_t first, uint64_t *from_ns)
{
    bool any = false;

    for (struct object *o = w->objects; o; o = o->next) {
        unsigned led = take_count(o);
        struct stat st;

        if (!led || !foreign_way_answers(o->place.object.host_path) || lstat(o->place.object.host_path.data, &st) < 0)
            continue;
        /* a later change, whose event has not come: where it led in between is not known */
        if (w->target.selector.kind == SELECTOR_NONE && led == 1 && clock_of(st.st_ctim) <= o->led_ns && !missed_by(set, w, first, &st))
            continue;
        any = true;
        *from_ns = MIN(*from_ns, clock_of(st.st_ctim));
    }
    return any;
}

bool watchset_poll_links(struct watchset *set, uint64_t *ret_from_ns)
{
    const uint32_t first = set->next_object;
    uint64_t from_ns = clock_ns(CLOCK_REALTIME);
    bool any = false;

    watchset_poll(set);
    for (size_t k = 0; k < set->count; k++)
        any |= missed(set, set->watches[k], first, &from_ns);
    *ret_from_ns = from_ns;
    return any;
}
