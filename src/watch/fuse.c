/* SPDX-License-Identifier: MIT */
#include "watch/fuse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "event/operation.h"
#include "util/hash.h"
#include "util/macro.h"
#include "watch/cut.h"
#include "watch/emitted.h"
#include "watch/facts.h"

#define BUCKETS 4096
#define PLACES 65536 /* numbers left free after each event at the end of the queue, for those that are put before a later one */
#define ACLS 1024 /* recent calls that set an ACL */
#define ACL_NS (2 * NS_PER_S)
#define BOUND_STEPS 1024 /* whose time may be found out by one that came after it */

struct fused {
    struct event *event;
    uint64_t hash, arrival_ns;
    unsigned sensors; /* whose observation it has */
    bool done;        /* every sensor has seen it: it is emitted as soon as it is first in the queue */
    uint64_t place;   /* in the queue: rises; the event's number where it is expected */
    struct fused *next, *before; /* in the order in which they are emitted */
    struct fused *bucket_prev, *bucket_next; /* of the same bucket, in the order of arrival */
    uint64_t name;                           /* hash of the name that the change takes away; 0: none */
    struct fused *name_prev, *name_next;     /* of the same bucket of names */
};

struct fuse {
    struct fuse_options options;
    struct fuse_stats stats;
    struct emitted *emitted; /* before all sensors had seen it */
    struct cut_calls *cuts;
    struct fused *first, *last;
    struct fused *buckets[BUCKETS], *names[BUCKETS]; /* by hash and by who has seen it: observation_bucket_hash() */
    uint32_t seen_by; /* 1 << each set of sensors that one in the queue was ever seen by */
    size_t count;
    uint64_t gone; /* the place of the last that was emitted */
    struct {
        uint64_t hash, arrival_ns;
    } acls[ACLS];
};

static bool presumes(const struct event *e)
{
    const struct observation s = observation_of(e);

    return observation_presumes(&s);
}

/*
 * Reports in the order in which things were done, but without their times: what the sensor of `observed` reported before this change, of
 * which another one knows the time, was not later. So what is ordered by time is as it was done.
 */
static void bound_before(const struct fused *w, const struct event *observed)
{
    const struct event *e = w->event;
    unsigned left = BOUND_STEPS;

    if (!facts_are_timed(e) || facts_are_timed(observed))
        return;
    for (struct fused *b = w->before; b && left--; b = b->before) {
        if (!(b->event->sensors & observed->sensors))
            continue;
        if (b->event->time_ns <= e->time_ns) /* and so is all before it */
            return;
        facts_bound_time(b->event, e->time_ns);
    }
}

/* The observation whose actor was captured in the kernel is the base, also of the event's time and id; never one
 * that had to conclude what the other one saw. */
static void merge(struct fuse *f, struct fused *w, struct event *second)
{
    if (presumes(w->event) != presumes(second) ? presumes(w->event)
                                               : second->actor.cred.known && !w->event->actor.cred.known) {
        struct event *first = w->event;

        second->spooled = first->spooled;
        w->event = second;
        second = first;
    }
    facts_unite(w->event, second, &f->stats.contradictions);
    f->stats.folded++;
    bound_before(w, second);
    w->sensors = w->event->sensors;
    event_free(second);
}

/* ---- the queue ---- */

int fuse_new(const struct fuse_options *options, struct fuse **ret, struct err *err)
{
    struct fuse *f = calloc(1, sizeof(*f));

    if (f) {
        f->emitted = emitted_new();
        f->cuts = cut_calls_new();
    }
    if (!f || !f->emitted || !f->cuts) {
        fuse_free(f);
        return err_set(err, -ENOMEM, "fusing events");
    }
    f->options = *options;
    *ret = f;
    return 0;
}

static struct fused **bucket(struct fused **buckets, uint64_t hash, unsigned sensors)
{
    return &buckets[observation_bucket_hash(hash, sensors) % BUCKETS];
}

static void index_waiting(struct fuse *f, struct fused *w)
{
    struct fused **at = bucket(f->buckets, w->hash, w->sensors), **name = bucket(f->names, w->name, w->sensors);

    f->seen_by |= UINT32_C(1) << w->sensors;
    DL_APPEND2(*at, w, bucket_prev, bucket_next);
    if (w->name)
        DL_APPEND2(*name, w, name_prev, name_next);
}

static void unindex_waiting(struct fuse *f, struct fused *w)
{
    struct fused **at = bucket(f->buckets, w->hash, w->sensors), **name = bucket(f->names, w->name, w->sensors);

    DL_DELETE2(*at, w, bucket_prev, bucket_next);
    if (w->name)
        DL_DELETE2(*name, w, name_prev, name_next);
}

static struct event *shift(struct fuse *f)
{
    struct fused *w = f->first;
    struct event *e = w->event;

    unindex_waiting(f, w);
    f->first = w->next;
    *(f->first ? &f->first->before : &f->last) = NULL;
    f->gone = w->place;
    f->count--;
    free(w);
    return e;
}

/* The path that this change took a name away from; BYTES_NULL: it took none. */
static struct bytes name_taken_away(const struct event *e)
{
    if (e->error)
        return BYTES_NULL;
    return e->operation == OPERATION_RENAME                                             ? e->previous_path
           : e->operation == OPERATION_UNLINK || e->operation == OPERATION_RMDIR ? e->path
                                                                                        : BYTES_NULL;
}

static uint64_t hash_name(const struct event *e, struct bytes name)
{
    uint64_t hash = hash_add(hash_word(HASH_START, e->watch), name.data, name.len);

    return hash ? hash : 1;
}

/*
 * What takes the event's name away, or a folder's above it, and was not seen by its sensor yet: that one reports in the order in
 * which things were done, so that the event was before it, whoever reported it first. NULL: the event comes last.
 */
static struct fused *find_later(struct fuse *f, const struct event *e)
{
    struct fused *found = NULL;

    for (struct bytes name = e->path; name.len > 1; name = bytes_dirname(name)) {
        uint64_t hash = hash_name(e, name);

        for (unsigned others = 0; (others = observation_next_set(f->seen_by, e->sensors, others));)
            for (struct fused *w = *bucket(f->names, hash, others); w; w = w->name_next)
                if (w->name == hash && w->sensors == others && facts_earliest(e) <= w->event->time_ns &&
                    bytes_equal(name_taken_away(w->event), name) && (!found || w->place < found->place))
                    found = w;
    }
    return found;
}

/* Before `later`, or last; and it is expected there. */
static void put(struct fuse *f, struct fused *w, struct fused *later)
{
    struct fused *before = later ? later->before : f->last;
    uint64_t place = before ? before->place : f->gone;

    if (later && later->place - place < 2) { /* the numbers between the two are used up */
        put(f, w, NULL);
        return;
    }
    if (f->options.expect)
        f->options.expect(f->options.data, w->event, later ? place + 1 : 0);
    w->place = later ? place + 1 : MAX(w->event->spooled, place + (w->event->spooled ? 1 : PLACES));
    w->before = before;
    w->next = later;
    *(before ? &before->next : &f->first) = w;
    *(later ? &later->before : &f->last) = w;
    f->count++;
}

void fuse_free(struct fuse *f)
{
    if (!f)
        return;
    while (f->first)
        event_free(shift(f));
    emitted_free(f->emitted);
    cut_calls_free(f->cuts);
    free(f);
}

/* No other sensor has seen it: who called at that moment it was, as far as is known. */
static struct event *as_known(struct event *e)
{
    if (e->actor_inferred && e->actor.pid)
        e->actor_presumed = false;
    return e;
}

static void let_go(struct fuse *f, uint64_t now_ns)
{
    cut_calls_decide(f->cuts, f->first->event, f->first->hash, now_ns);
    if (!f->first->done) {
        struct observation s = observation_of(f->first->event);

        s.sensors = f->first->sensors;
        emitted_add(f->emitted, &s, now_ns);
    }
    f->options.event(f->options.data, as_known(shift(f)));
}

static void let_go_done(struct fuse *f, uint64_t now_ns)
{
    while (f->first && f->first->done)
        let_go(f, now_ns);
}

/* The first that these sensors have seen, and no other one. */
static struct fused *find_seen_by(struct fuse *f, unsigned sensors, const struct observation *observation, uint64_t hash,
                                  enum likeness likeness)
{
    for (struct fused *w = *bucket(f->buckets, hash, sensors); w; w = w->bucket_next) {
        struct observation other;

        if (w->hash != hash || w->sensors != sensors)
            continue;
        other = observation_of(w->event);
        if (observation_is_same(&other, observation, likeness))
            return w;
    }
    return NULL;
}

/* Another sensor's observation of the change that still waits. */
static struct fused *find_waiting(struct fuse *f, const struct observation *observation, uint64_t hash, enum likeness likeness)
{
    struct fused *found = NULL;

    for (unsigned others = 0; (others = observation_next_set(f->seen_by, observation->sensors, others));) {
        struct fused *w = find_seen_by(f, others, observation, hash, likeness);

        if (w && (!found || w->arrival_ns < found->arrival_ns))
            found = w;
    }
    return found;
}

/*
 * Is it another sensor's observation of a change that is known, one by the same name first? Emitted events are searched
 * before waiting ones, since they happened before: in a storm of changes that are all alike, the first of one sensor is
 * the first of the other, however late it is. If it were merged with a waiting one, the observation that belongs to the
 * waiting one would find no partner and be emitted as a change of its own.
 */
static bool find_other(struct fuse *f, const struct observation *observation, uint64_t hash, uint64_t now_ns, struct fused **ret)
{
    for (enum likeness likeness = SAME_NAME; likeness < LIKENESSES; likeness++) {
        *ret = NULL;
        if (emitted_before(f->emitted, observation, likeness, f->options.sensors, now_ns))
            return true;
        *ret = find_waiting(f, observation, hash, likeness);
        if (*ret)
            return true;
    }
    return false;
}

/* The call that set an ACL was already merged with another observation. True if this changed mode is the work of that call. */
static bool was_set_by_acl(struct fuse *f, const struct observation *s, uint64_t hash, uint64_t now_ns)
{
    hash = hash_word(hash, (uint64_t)s->pid);
    if (observation_may_set_acl(s)) {
        f->acls[hash % ACLS].hash = hash;
        f->acls[hash % ACLS].arrival_ns = now_ns;
    }
    return observation_is_looked_up_mode(s) && f->acls[hash % ACLS].hash == hash &&
           now_ns - f->acls[hash % ACLS].arrival_ns < ACL_NS;
}

static bool is_done(const struct fuse *f, const struct fused *w)
{
    return (w->sensors & f->options.sensors) == f->options.sensors;
}

static void await_others(struct fuse *f, struct event *event, uint64_t hash, uint64_t now_ns)
{
    struct fused *w = calloc(1, sizeof(*w));
    struct bytes name = name_taken_away(event);
    struct fused *later;

    if (!w) { /* out of memory: emitted at once, perhaps twice and out of order, rather than lost */
        f->options.event(f->options.data, event);
        return;
    }
    *w = (struct fused){ .event = event, .hash = hash, .arrival_ns = now_ns, .sensors = event->sensors,
                         .name = name.len ? hash_name(event, name) : 0 };
    w->done = is_done(f, w);
    later = find_later(f, event);
    if (later)
        facts_bound_time(event, later->event->time_ns);
    put(f, w, later);
    index_waiting(f, w);
    let_go_done(f, now_ns);
    if (f->count > FUSE_WAITING_MAX) {
        f->stats.early++;
        let_go(f, now_ns);
    }
}

/* Where the file was is not known, and another sensor, which sees each name by itself, reports it. */
static bool is_for_others(const struct fuse *f, const struct event *e)
{
    if (!e->path_presumed || !(f->options.sensors & ~e->sensors))
        return false;
    switch (e->operation) {
    case OPERATION_CREATE:
    case OPERATION_LINK:
    case OPERATION_SYMLINK:
    case OPERATION_MKNOD:
    case OPERATION_MKDIR:
    case OPERATION_UNLINK:
    case OPERATION_RMDIR:
    case OPERATION_CHMOD:
    case OPERATION_CHOWN:
    case OPERATION_SETACL:
    case OPERATION_SETXATTR:
    case OPERATION_REMOVEXATTR:
        return true;
    default: /* contents, and times and flags by a descriptor: none that audit records */
        return false;
    }
}

void fuse_add(struct fuse *f, struct event *event, uint64_t now_ns)
{
    struct observation observation;
    uint64_t hash;
    struct fused *w;
    bool by_acl, known;

    event->actor_presumed |= event->actor_inferred && (f->options.sensors & ~event->sensors);
    observation = observation_of(event);
    hash = observation_hash(&observation);
    cut_calls_note(f->cuts, event, hash, now_ns);
    by_acl = was_set_by_acl(f, &observation, hash, now_ns);
    known = find_other(f, &observation, hash, now_ns, &w);

    if (!known && is_for_others(f, event)) {
        f->stats.folded++;
        event_free(event);
    } else if (known && w) {
        unindex_waiting(f, w);
        merge(f, w, event);
        index_waiting(f, w);
        w->done = is_done(f, w);
        let_go_done(f, now_ns);
    } else if (known || by_acl) {
        f->stats.folded++;
        event_free(event);
    } else {
        await_others(f, event, hash, now_ns);
    }
}

void fuse_set_sensors(struct fuse *f, unsigned sensors, uint64_t now_ns)
{
    f->options.sensors = sensors;
    for (struct fused *w = f->first; w; w = w->next)
        w->done = is_done(f, w);
    let_go_done(f, now_ns);
}

/* What one sensor concluded waits longer, because another sensor may have seen it and know it better: so does a mode that was looked up,
 * which the call set by way of an ACL, perhaps (cp -a does). */
static uint64_t patience(const struct fused *w, bool drained)
{
    const struct observation s = observation_of(w->event);

    if (!drained)
        return FUSE_BOUND_NS;
    return observation_presumes(&s) || observation_is_looked_up_mode(&s) ? FUSE_PRESUMED_NS : FUSE_SETTLE_NS;
}

void fuse_expire(struct fuse *f, uint64_t now_ns, bool drained)
{
    while (f->first && (f->first->done || now_ns - f->first->arrival_ns >= patience(f->first, drained)))
        let_go(f, now_ns);
}

void fuse_flush(struct fuse *f, uint64_t now_ns)
{
    while (f->first)
        let_go(f, now_ns);
}

uint64_t fuse_oldest_ns(const struct fuse *f)
{
    const struct event *e = f->first ? f->first->event : NULL;

    if (!e)
        return 0;
    return facts_earliest(e);
}

const struct fuse_stats *fuse_stats(const struct fuse *f)
{
    return &f->stats;
}
