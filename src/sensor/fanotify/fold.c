/* SPDX-License-Identifier: MIT */
/*
 * What goes out, in order. A change made through an overlay is reported twice: first by the upper layer behind it, then, in
 * the same system call, by the overlay itself. So an observation of an upper layer waits a moment; when the overlay's comes,
 * by the same process and about the same path, it is dropped. What comes too late for that, or the other way round,
 * unpaired.c knows.
 */
#include "sensor/fanotify/fold.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "sensor/fanotify/unpaired.h"
#include "sensor/fanotify/state.h"
#include "util/clock.h"

#define WAIT_NS (8 * NS_PER_MS)
#define LOOK_BACK 512 /* observations of one system call are near each other; many processes may come between */

struct folded_observation {
    struct event *event; /* NULL: dropped */
    uint32_t group, object;
    enum view view;
    uint64_t due_ns; /* CLOCK_MONOTONIC; 0 = need not wait */
    uint64_t from_ns, until_ns; /* CLOCK_REALTIME: when it can have happened; 0 = it does not come from the queue now */
    size_t below;    /* where the path below the object begins in event->path */
};

struct fanotify_fold {
    struct folded_observation *observations;
    size_t first, count, size; /* a ring */
    uint64_t emitted_ns;       /* of the last that was delivered in the queue's order; CLOCK_REALTIME */
    struct fanotify_unpaired *unpaired;
};

struct fanotify_fold *fanotify_fold_new(void)
{
    struct fanotify_fold *f = calloc(1, sizeof(*f));

    if (f && !(f->unpaired = fanotify_unpaired_new())) {
        free(f);
        return NULL;
    }
    return f;
}

void fanotify_fold_free(struct fanotify_fold *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++)
        event_free(f->observations[(f->first + i) % f->size].event);
    fanotify_unpaired_free(f->unpaired);
    free(f->observations);
    free(f);
}

static struct bytes below(const struct folded_observation *s, struct bytes path)
{
    return path.len >= s->below ? (struct bytes){ path.data + s->below, path.len - s->below } : BYTES_NULL;
}

static struct fanotify_observation look_of(const struct folded_observation *s)
{
    return (struct fanotify_observation){ s->event, s->group, s->view, s->below };
}

/* Is the upper layer's observation a part of what the overlay reported? Its own path, or a directory on the way
 * to it, which is copied up or gets its times back. */
static bool is_part(const struct folded_observation *upper, const struct folded_observation *merged)
{
    struct bytes u = below(upper, upper->event->path), m = below(merged, merged->event->path);
    struct bytes p = below(merged, merged->event->previous_path);

    if (!u.data)
        return false;
    return bytes_path_covers(u, m) || u.len == 0 || (p.data && bytes_path_covers(u, p));
}

/* Drops what the layer reported of the same change and is still here. True if the change itself was among it. */
static bool fold(struct sensor *s, const struct folded_observation *merged)
{
    struct fanotify_observation look = look_of(merged);
    struct fanotify_fold *f = s->fold;
    bool same = false;
    size_t count = f->count < LOOK_BACK ? f->count : LOOK_BACK;

    for (size_t i = 1; i <= count; i++) {
        struct folded_observation *at = &f->observations[(f->first + f->count - i) % f->size];
        struct fanotify_observation upper = look_of(at);

        if (!at->event || at->view != VIEW_UPPER || at->group != merged->group ||
            at->event->actor.pid != merged->event->actor.pid ||
            !(is_part(at, merged) || fanotify_observation_is_same_move(&upper, &look)))
            continue;
        same |= fanotify_observation_is_same(&upper, &look);
        event_free(at->event);
        at->event = NULL;
    }
    return same;
}

static bool has_view(const struct sensor *s, uint32_t group, enum view view)
{
    for (const struct fanotify_object *o = s->objects; o; o = o->next)
        if (o->wanted.group == group && o->wanted.view == view && !o->tombstone_until_ms && !o->unmarked)
            return true;
    return false;
}

static int reserve(struct fanotify_fold *f)
{
    size_t size = f->size ? f->size * 2 : 64;
    struct folded_observation *observations;

    if (f->count < f->size)
        return 0;
    observations = calloc(size, sizeof(*observations));
    if (!observations)
        return -ENOMEM;
    for (size_t i = 0; i < f->count; i++)
        observations[i] = f->observations[(f->first + i) % f->size];
    free(f->observations);
    f->observations = observations;
    f->size = size;
    f->first = 0;
    return 0;
}

/* Was the same change emitted already, as the other view saw it? */
static bool is_second(struct sensor *s, struct folded_observation *observation)
{
    struct fanotify_observation look = look_of(observation);
    uint64_t now;

    if (observation->view == VIEW_MERGED && fold(s, observation))
        return false;
    if (!has_view(s, observation->group, observation->view == VIEW_MERGED ? VIEW_UPPER : VIEW_MERGED))
        return false;
    now = clock_ns(CLOCK_MONOTONIC);
    if (fanotify_unpaired_take(s->fold->unpaired, &look, now))
        return true;
    if (observation->view == VIEW_MERGED)
        fanotify_unpaired_add(s->fold->unpaired, &look, now);
    else
        observation->due_ns = now + WAIT_NS;
    return false;
}

void fanotify_fold_add(struct fanotify_object *o, struct event *e, const struct fanotify_cause *cause)
{
    struct sensor *s = o->sensor;
    struct fanotify_fold *f = s->fold;
    struct folded_observation observation = { .event = e, .group = o->wanted.group, .object = o->wanted.id,
                           .view = o->wanted.view, .below = o->wanted.path.len };

    if (cause->in_turn && !e->actor_presumed) { /* what a listing found is emitted in its turn */
        observation.from_ns = cause->from_real_ns;
        observation.until_ns = cause->to_real_ns;
    }
    if ((observation.view == VIEW_MERGED || observation.view == VIEW_UPPER) && is_second(s, &observation)) {
        event_free(e);
        return;
    }
    if (reserve(f) < 0) {
        s->lost_paths++;
        event_free(e);
        return;
    }
    f->observations[(f->first + f->count++) % f->size] = observation;
}

/*
 * Some moments are the kernel's stamps, of its last tick; where there is none it is when the queue was read,
 * which is later. The queue's order is the truth: what comes before something else did not happen after it.
 */
static void settle_times(struct fanotify_fold *f)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = f->count; i-- > 0;) {
        struct folded_observation *at = &f->observations[(f->first + i) % f->size];

        if (!at->event || !at->until_ns)
            continue;
        if (at->event->time_ns > next && next >= at->from_ns)
            at->event->time_ns = next;
        next = at->event->time_ns;
    }
}

static void settle_time(struct fanotify_fold *f, const struct folded_observation *at)
{
    if (!at->until_ns)
        return;
    if (at->event->time_ns < f->emitted_ns && f->emitted_ns <= at->until_ns)
        at->event->time_ns = f->emitted_ns;
    f->emitted_ns = at->event->time_ns;
}

void fanotify_fold_flush(struct sensor *s, bool all)
{
    struct fanotify_fold *f = s->fold;
    uint64_t now = f->count ? clock_ns(CLOCK_MONOTONIC) : 0;

    settle_times(f);
    while (f->count) {
        struct folded_observation *at = &f->observations[f->first];
        struct event *e = at->event;

        if (e && !all && at->due_ns > now)
            break;
        if (e) {
            settle_time(f, at);
            event_make_id(e->time_ns, (s->seed + ++s->sequence) * EVENT_ID_STEP, e->id);
        }
        if (e && at->due_ns) {
            struct fanotify_observation look = look_of(at);

            fanotify_unpaired_add(f->unpaired, &look, now);
        }
        f->first = (f->first + 1) % f->size;
        f->count--;
        if (e) /* last: the receiver may add and remove objects */
            s->options.sink.event(s->options.sink.data, e);
    }
}

void fanotify_fold_emptied(struct sensor *s)
{
    fanotify_unpaired_emptied(s->fold->unpaired);
}

bool fanotify_fold_waits(const struct sensor *s)
{
    return s->fold->count > 0;
}

static struct bytes exchange_prefix(struct event *e, struct bytes path, struct bytes from, struct bytes to)
{
    struct bytes rest;

    if (!path.data || !bytes_path_covers(from, path))
        return path;
    rest = (struct bytes){ path.data + from.len, path.len - from.len };
    return rest.len ? arena_join_path(&e->arena, to, rest) : arena_copy(&e->arena, to);
}

void fanotify_fold_hand_over(struct fanotify_object *from, const struct fanotify_object *to)
{
    struct fanotify_fold *f = from->sensor->fold;

    for (size_t i = 0; i < f->count; i++) {
        struct folded_observation *at = &f->observations[(f->first + i) % f->size];
        struct event *e = at->event;

        if (!e || at->object != from->wanted.id)
            continue;
        e->path = exchange_prefix(e, e->path, from->wanted.path, to->wanted.path);
        e->previous_path = exchange_prefix(e, e->previous_path, from->wanted.path, to->wanted.path);
        e->object = at->object = to->wanted.id;
        at->below = to->wanted.path.len;
    }
}
