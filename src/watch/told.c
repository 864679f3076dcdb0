/* SPDX-License-Identifier: MIT */
#include "watch/told.h"

#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

#define BUCKETS 4096
#define STAMP_NS (20 * NS_PER_MS)  /* audit's clock is that of the last timer tick, 10 ms at most, and is rounded up by one */
#define CALL_NS (2 * NS_PER_S)     /* audit's stamp is of the call's begin, which may have waited until it did something */

struct memory {
    struct sight sight; /* its bytes are below */
    uint64_t hash, told_ns;
    bool done; /* every sensor has seen it */
    struct memory *next;        /* in the order in which they were told */
    struct memory *bucket_next; /* likewise, of the same bucket */
    char bytes[];
};

struct told {
    struct memory *first, **last;
    struct memory *buckets[BUCKETS];
    size_t count, bytes;
};

struct told *told_new(void)
{
    struct told *t = calloc(1, sizeof(*t));

    if (t)
        t->last = &t->first;
    return t;
}

static void forget_first(struct told *t)
{
    struct memory *m = t->first, **at = &t->buckets[m->hash % BUCKETS];

    while (*at != m)
        at = &(*at)->bucket_next;
    *at = m->bucket_next;
    t->first = m->next;
    if (!t->first)
        t->last = &t->first;
    t->count--;
    t->bytes -= m->sight.path.len + m->sight.previous_path.len;
    free(m);
}

void told_free(struct told *t)
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

void told_add(struct told *t, const struct sight *s, uint64_t now_ns)
{
    size_t len = s->path.len + s->previous_path.len;
    struct memory *m = malloc(sizeof(*m) + len), **at;

    if (!m)
        return;
    *m = (struct memory){ .sight = *s, .hash = sight_hash(s), .told_ns = now_ns };
    m->sight.path = copy(m->bytes, s->path);
    m->sight.previous_path = copy(m->bytes + s->path.len, s->previous_path);
    while (t->first && (t->count == TOLD_MAX || t->bytes + len > TOLD_BYTES_MAX || now_ns - t->first->told_ns > TOLD_KEPT_NS))
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
static bool is_closing(const struct sight *s)
{
    return s->operation == OPERATION_OPEN_WRITE && s->sensors == SENSOR_FANOTIFY;
}

/* Both may be of what was done at one moment. The one of a call's begin may be early where it is the late one: the
 * other one's time is that of the change. Where the other one is late its own time has to be near the call, since what
 * the call did not do must be told. */
static bool is_in_time(const struct sight *told, const struct sight *late)
{
    const struct sight *call = late->sensors & SENSOR_AUDIT ? late : told, *seen = call == late ? told : late;
    uint64_t before_ns = call == late ? CALL_NS : STAMP_NS;

    if (!told->until_ns || !late->until_ns)
        return false;
    if (is_closing(late))
        return call->from_ns <= seen->until_ns + STAMP_NS;
    return call->from_ns <= seen->until_ns + STAMP_NS && call->until_ns + before_ns >= seen->from_ns;
}

static struct memory *find(struct told *t, const struct sight *late, uint64_t hash, enum likeness likeness, uint64_t now_ns)
{
    for (struct memory *m = t->buckets[hash % BUCKETS]; m; m = m->bucket_next)
        if (m->hash == hash && !m->done && !(m->sight.sensors & late->sensors) && now_ns - m->told_ns <= TOLD_KEPT_NS &&
            sight_is_same(&m->sight, late, likeness) && is_in_time(&m->sight, late))
            return m;
    return NULL;
}

bool told_before(struct told *t, const struct sight *late, enum likeness likeness, unsigned sensors, uint64_t now_ns)
{
    uint64_t hash = sight_hash(late);
    struct memory *m = find(t, late, hash, likeness, now_ns);

    if (!m)
        return false;
    do {
        m->sight.sensors |= late->sensors;
        m->done = (m->sight.sensors & sensors) == sensors;
    } while (is_closing(late) && (m = find(t, late, hash, likeness, now_ns))); /* the kernel makes one event of several closings */
    return true;
}
