/* SPDX-License-Identifier: MIT */
#include "watch/emitted.h"

#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

#define BUCKETS 4096
#define STAMP_NS (20 * NS_PER_MS)  /* audit's clock is that of the last timer tick, 10 ms at most, and is rounded up by one */
#define CALL_NS (2 * NS_PER_S)     /* audit's stamp is of the call's begin, which may have waited until it did something */

struct memory {
    struct observation observation; /* its bytes are below */
    uint64_t hash, emitted_ns;
    bool done; /* every sensor has seen it */
    struct memory *next;        /* in the order in which they were emitted */
    struct memory *bucket_next; /* likewise, of the same bucket */
    char bytes[];
};

struct emitted {
    struct memory *first, **last;
    struct memory *buckets[BUCKETS];
    size_t count, bytes;
};

struct emitted *emitted_new(void)
{
    struct emitted *t = calloc(1, sizeof(*t));

    if (t)
        t->last = &t->first;
    return t;
}

static void forget_first(struct emitted *t)
{
    struct memory *m = t->first, **at = &t->buckets[m->hash % BUCKETS];

    while (*at != m)
        at = &(*at)->bucket_next;
    *at = m->bucket_next;
    t->first = m->next;
    if (!t->first)
        t->last = &t->first;
    t->count--;
    t->bytes -= m->observation.path.len + m->observation.previous_path.len;
    free(m);
}

void emitted_free(struct emitted *t)
{
    if (!t)
        return;
    while (t->first)
        forget_first(t);
    free(t);
}

static struct bytes copy(char *to, struct bytes from)
{
    if (from.len)
        memcpy(to, from.data, from.len);
    return (struct bytes){ to, from.len };
}

void emitted_add(struct emitted *t, const struct observation *s, uint64_t now_ns)
{
    size_t len = s->path.len + s->previous_path.len;
    struct memory *m = malloc(sizeof(*m) + len), **at;

    if (!m)
        return;
    *m = (struct memory){ .observation = *s, .hash = observation_hash(s), .emitted_ns = now_ns };
    m->observation.path = copy(m->bytes, s->path);
    m->observation.previous_path = copy(m->bytes + s->path.len, s->previous_path);
    while (t->first && (t->count == EMITTED_MAX || t->bytes + len > EMITTED_BYTES_MAX ||
                        now_ns - t->first->emitted_ns > EMITTED_KEPT_NS))
        forget_first(t);
    for (at = &t->buckets[m->hash % BUCKETS]; *at; at = &(*at)->bucket_next)
        ;
    *at = m;
    *t->last = m;
    t->last = &m->next;
    t->count++;
    t->bytes += len;
}

/* fanotify sees that a file was open for writing when it is closed, however long that is after it was opened. */
static bool is_closing(const struct observation *s)
{
    return s->operation == OPERATION_OPEN_WRITE && s->sensors == SENSOR_FANOTIFY;
}

/*
 * May both be of one change, by their times? Audit's time is when the system call began, which may have waited before
 * it made the change: where audit is the late one, its time may be up to CALL_NS before the change. Where the other
 * sensor is the late one, the change has to be near the call, because a change that the call did not make must be
 * emitted.
 */
static bool is_in_time(const struct observation *emitted, const struct observation *late)
{
    const struct observation *call = late->sensors & SENSOR_AUDIT ? late : emitted, *seen = call == late ? emitted : late;
    uint64_t before_ns = call == late ? CALL_NS : STAMP_NS;

    if (!emitted->until_ns || !late->until_ns)
        return false;
    if (is_closing(late))
        return call->from_ns <= seen->until_ns + STAMP_NS;
    return call->from_ns <= seen->until_ns + STAMP_NS && call->until_ns + before_ns >= seen->from_ns;
}

static struct memory *find(struct emitted *t, const struct observation *late, uint64_t hash, enum likeness likeness,
                           uint64_t now_ns)
{
    for (struct memory *m = t->buckets[hash % BUCKETS]; m; m = m->bucket_next)
        if (m->hash == hash && !m->done && !(m->observation.sensors & late->sensors) && now_ns - m->emitted_ns <= EMITTED_KEPT_NS &&
            observation_is_same(&m->observation, late, likeness) && is_in_time(&m->observation, late))
            return m;
    return NULL;
}

bool emitted_before(struct emitted *t, const struct observation *late, enum likeness likeness, unsigned sensors, uint64_t now_ns)
{
    uint64_t hash = observation_hash(late);
    struct memory *m = find(t, late, hash, likeness, now_ns);

    if (!m)
        return false;
    do {
        m->observation.sensors |= late->sensors;
        m->done = (m->observation.sensors & sensors) == sensors;
    } while (is_closing(late) && (m = find(t, late, hash, likeness, now_ns))); /* the kernel makes one event of several closings */
    return true;
}
