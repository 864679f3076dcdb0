/* SPDX-License-Identifier: MIT */
#include "watch/emitted.h"

#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

#include <utlist.h>

#define BUCKETS 4096
#define STAMP_NS (20 * NS_PER_MS)  /* audit's clock is that of the last timer tick, 10 ms at most, and is rounded up by one */
#define CALL_NS (2 * NS_PER_S)     /* audit's stamp is of the call's begin, which may have waited until it did something */

enum kept { KEPT_SHORT, KEPT_LONG, KEPT_FLAGS, KEPT_COUNT };

struct memory {
    struct observation observation; /* its bytes are below */
    uint64_t hash, emitted_ns;
    enum kept kept;             /* from its begin on: who has seen it since does not change it */
    struct memory *prev, *next; /* those that are kept as long, in the order in which they were emitted */
    struct memory *bucket_prev, *bucket_next; /* likewise, of the same bucket */
    unsigned sensors; /* of its bucket: those that had seen it when it was put there */
    char bytes[];
};

struct emitted {
    struct memory *kept[KEPT_COUNT]; /* the oldest first */
    struct memory *buckets[BUCKETS]; /* by hash and by who has seen it, as the queue's */
    uint32_t seen_by;                /* 1 << each set of sensors that one was ever seen by */
    size_t count, bytes;
};

struct emitted *emitted_new(void)
{
    return calloc(1, sizeof(struct emitted));
}

/* A file is closed however long after it was opened: that call waits longer for what fanotify says of it. Flags it finds when it looks at
 * the file for another reason. */
static enum kept kept_of(const struct observation *s)
{
    if (s->sensors & SENSOR_FANOTIFY)
        return KEPT_SHORT;
    return s->operation == OPERATION_OPEN_WRITE ? KEPT_LONG : s->operation == OPERATION_SETFLAGS ? KEPT_FLAGS : KEPT_SHORT;
}

static bool is_over(const struct memory *m, uint64_t now_ns)
{
    static const uint64_t kept_ns[] = { [KEPT_SHORT] = EMITTED_KEPT_NS, [KEPT_LONG] = EMITTED_OPEN_KEPT_NS, [KEPT_FLAGS] = EMITTED_FLAGS_KEPT_NS };

    return now_ns - m->emitted_ns > kept_ns[m->kept];
}

static struct memory **bucket(struct emitted *t, uint64_t hash, unsigned sensors)
{
    return &t->buckets[observation_bucket_hash(hash, sensors) % BUCKETS];
}

static void index_memory(struct emitted *t, struct memory *m)
{
    struct memory **at = bucket(t, m->hash, m->observation.sensors);

    m->sensors = m->observation.sensors;
    t->seen_by |= UINT32_C(1) << m->sensors;
    DL_APPEND2(*at, m, bucket_prev, bucket_next);
}

static void unindex_memory(struct emitted *t, struct memory *m)
{
    struct memory **at = bucket(t, m->hash, m->sensors);

    DL_DELETE2(*at, m, bucket_prev, bucket_next);
}

static void forget(struct emitted *t, struct memory *m)
{
    unindex_memory(t, m);
    DL_DELETE(t->kept[m->kept], m);
    t->count--;
    t->bytes -= m->observation.path.len + m->observation.previous_path.len;
    free(m);
}

void emitted_free(struct emitted *t)
{
    if (!t)
        return;
    for (enum kept kept = 0; kept < KEPT_COUNT; kept++)
        while (t->kept[kept])
            forget(t, t->kept[kept]);
    free(t);
}

/* The oldest of all goes. */
static void forget_oldest(struct emitted *t)
{
    struct memory *oldest = NULL;

    for (enum kept kept = 0; kept < KEPT_COUNT; kept++)
        if (t->kept[kept] && (!oldest || t->kept[kept]->emitted_ns < oldest->emitted_ns))
            oldest = t->kept[kept];
    if (oldest)
        forget(t, oldest);
}

static void make_room(struct emitted *t, size_t len, uint64_t now_ns)
{
    for (enum kept kept = 0; kept < KEPT_COUNT; kept++)
        while (t->kept[kept] && is_over(t->kept[kept], now_ns))
            forget(t, t->kept[kept]);
    while (t->count && (t->count == EMITTED_MAX || t->bytes + len > EMITTED_BYTES_MAX))
        forget_oldest(t);
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
    struct memory *m = malloc(sizeof(*m) + len);

    if (!m)
        return;
    *m = (struct memory){ .observation = *s, .hash = observation_hash(s), .emitted_ns = now_ns, .kept = kept_of(s) };
    m->observation.path = copy(m->bytes, s->path);
    m->observation.previous_path = copy(m->bytes + s->path.len, s->previous_path);
    make_room(t, len, now_ns);
    index_memory(t, m);
    DL_APPEND(t->kept[m->kept], m);
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

/* The first that these sensors have seen, and no other one. */
static struct memory *find_seen_by(struct emitted *t, unsigned sensors, const struct observation *late, uint64_t hash,
                                   enum likeness likeness, uint64_t now_ns)
{
    for (struct memory *m = *bucket(t, hash, sensors); m; m = m->bucket_next)
        if (m->hash == hash && m->sensors == sensors && !is_over(m, now_ns) &&
            observation_is_same(&m->observation, late, likeness) && is_in_time(&m->observation, late))
            return m;
    return NULL;
}

static struct memory *find(struct emitted *t, const struct observation *late, uint64_t hash, enum likeness likeness,
                           uint64_t now_ns)
{
    struct memory *found = NULL;

    for (unsigned others = 0; (others = observation_next_set(t->seen_by, late->sensors, others));) {
        struct memory *m = find_seen_by(t, others, late, hash, likeness, now_ns);

        if (m && (!found || m->emitted_ns < found->emitted_ns))
            found = m;
    }
    return found;
}

bool emitted_before(struct emitted *t, const struct observation *late, enum likeness likeness, unsigned sensors, uint64_t now_ns)
{
    uint64_t hash = observation_hash(late);
    struct memory *m = find(t, late, hash, likeness, now_ns);

    if (!m)
        return false;
    do {
        unindex_memory(t, m);
        m->observation.sensors |= late->sensors;
        index_memory(t, m);
        if ((m->observation.sensors & sensors) == sensors) /* no other one will be late */
            forget(t, m);
    } while (is_closing(late) && (m = find(t, late, hash, likeness, now_ns))); /* the kernel makes one event of several closings */
    return true;
}
