/* SPDX-License-Identifier: MIT */
#include "daemon/counts.h"

#include <stdlib.h>

#include "util/clock.h"
#include "util/limits.h"

#define SERIES_MAX 550 /* of events: with all others below a thousand */
const uint64_t status_lag_limits_ns[STATUS_LAG_BUCKETS] = {
    5 * NS_PER_MS,   10 * NS_PER_MS,  25 * NS_PER_MS, 50 * NS_PER_MS,  100 * NS_PER_MS,
    250 * NS_PER_MS, 1000 * NS_PER_MS, 5 * NS_PER_S,  30 * NS_PER_S,
};

static const char *const lost_names[LOST_COUNT] = {
    [LOST_RING_FULL] = "ring-full",
    [LOST_MAP_FULL] = "map-full",
    [LOST_PATH] = "path",
    [LOST_AUDIT_KERNEL] = "audit-kernel",
    [LOST_AUDIT_SOCKET] = "audit-socket",
    [LOST_AUDIT_DAMAGED] = "audit-damaged",
    [LOST_FANOTIFY_QUEUE] = "fanotify-queue",
    [LOST_PROCESS_EVENTS] = "process-events",
    [LOST_STORE] = "store",
    [LOST_WATCH_WINDOW] = "watch-window",
    [LOST_UNREAD] = "unread",
    [LOST_KILLED] = "killed",
    [LOST_UNANSWERED] = "unanswered",
    [LOST_VIEWER] = "viewer",
    [LOST_HEARTBEAT] = "heartbeat",
    [LOST_SENSOR] = "sensor",
    [LOST_ENGINE] = "engine",
    [LOST_AUDIT_NUMBERS] = "audit-numbers",
};

const char *status_lost_name(enum lost place)
{
    return place < LOST_COUNT ? lost_names[place] : NULL;
}

/* ---- counting ---- */

static struct status_series *find_series(struct status *s, struct bytes watch, enum operation operation, bool failed)
{
    char key[2 + LIMIT_NAME];
    size_t len = MIN(watch.len, (size_t)LIMIT_NAME);
    struct status_series *found;

    key[0] = (char)operation;
    key[1] = (char)failed;
    if (len)
        memcpy(key + 2, watch.data, len);
    HASH_FIND(hh, s->series, key, len + 2, found);
    if (found || (s->series_count >= SERIES_MAX && !bytes_equal_str(watch, STATUS_OTHER)))
        return found;
    found = calloc(1, sizeof(*found) + len + 2);
    if (!found)
        return NULL;
    memcpy(found->key, key, len + 2);
    found->len = len;
    found->operation = operation;
    found->failed = failed;
    HASH_ADD_KEYPTR(hh, s->series, found->key, len + 2, found);
    HASH_FREE_IF_OUT(hh, found);
    s->series_count += found != NULL;
    return found;
}

static void count_lag(struct status *s, uint64_t time_ns)
{
    uint64_t now = clock_ns(CLOCK_REALTIME), lag = now > time_ns ? now - time_ns : 0;
    unsigned i = 0;

    while (i < STATUS_LAG_BUCKETS && lag > status_lag_limits_ns[i])
        i++;
    s->lag_count[i]++;
    s->lag_sum_ns += lag;
    s->last_lag_ns = lag;
}

void status_event(struct status *s, const struct event *event)
{
    struct status_series *series = find_series(s, event->watch_text, event->operation, event->error != 0);

    if (!series)
        series = find_series(s, bytes_of(STATUS_OTHER), event->operation, event->error != 0);
    if (series)
        series->count++;
    s->events++;
    count_lag(s, event->time_ns);
}

void status_gap(struct status *s, const struct gap *gap)
{
    if (gap->reason <= LOST_NONE || gap->reason >= LOST_COUNT)
        return;
    s->gaps[gap->reason]++;
    s->lost[gap->reason] += gap->count ? gap->count : 1;
}

void status_done(struct status *s)
{
    struct status_series *series, *next;

    HASH_ITER(hh, s->series, series, next) {
        HASH_DEL(s->series, series);
        free(series);
    }
}
