/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/unpaired.h"

#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

#define OBSERVATIONS 256 /* the latest; on a machine so busy that more are under way, one is emitted twice */
#define KEEP_NS (60 * NS_PER_S)

/* Where a change was, in an object's own terms. */
struct ends {
    struct bytes path, previous;
    size_t below;
};

struct unpaired_observation {
    uint64_t added_ns; /* 0 = none */
    uint32_t group;
    enum view view;
    pid_t pid;
    enum operation operation;
    int64_t ctime_ns;
    struct ends ends; /* paths of our own */
};

struct fanotify_unpaired {
    struct unpaired_observation observations[OBSERVATIONS]; /* a ring, `next` is the oldest */
    size_t next, count;
};

struct fanotify_unpaired *fanotify_unpaired_new(void)
{
    return calloc(1, sizeof(struct fanotify_unpaired));
}

static void drop(struct fanotify_unpaired *a, struct unpaired_observation *s)
{
    a->count -= s->added_ns != 0;
    free((char *)(uintptr_t)s->ends.path.data);
    free((char *)(uintptr_t)s->ends.previous.data);
    *s = (struct unpaired_observation){ 0 };
}

void fanotify_unpaired_free(struct fanotify_unpaired *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < OBSERVATIONS; i++)
        drop(a, &a->observations[i]);
    free(a);
}

/* ---- the same place ---- */

static struct ends ends_of(const struct fanotify_observation *s)
{
    return (struct ends){ s->event->path, s->event->previous_path, s->below };
}

/* Both paths end above their object, the same number of bytes before it. The ends of the objects' paths are equal, so it is the same
 * directory. */
static bool same_above(const struct ends *a, struct bytes path, const struct ends *b, struct bytes other)
{
    return path.len && other.len && path.len < a->below && other.len < b->below &&
           a->below - path.len == b->below - other.len;
}

static bool same_below(const struct ends *a, struct bytes path, const struct ends *b, struct bytes other)
{
    return path.data && other.data && path.len >= a->below && other.len >= b->below &&
           bytes_equal((struct bytes){ path.data + a->below, path.len - a->below },
                       (struct bytes){ other.data + b->below, other.len - b->below });
}

static bool same_move(const struct ends *a, const struct ends *b)
{
    return same_above(a, a->path, b, b->path) || same_above(a, a->previous, b, b->previous);
}

/* Both are of one operation. Of a move one end may lie outside, which each view writes in its own way. */
static bool same_place(enum operation operation, const struct ends *a, const struct ends *b)
{
    if (operation == OPERATION_RENAME && (same_move(a, b) || same_below(a, a->previous, b, b->previous)))
        return true;
    return same_below(a, a->path, b, b->path);
}

bool fanotify_observation_is_same(const struct fanotify_observation *a, const struct fanotify_observation *b)
{
    struct ends x = ends_of(a), y = ends_of(b);

    return a->event->operation == b->event->operation && same_place(a->event->operation, &x, &y);
}

bool fanotify_observation_is_same_move(const struct fanotify_observation *a, const struct fanotify_observation *b)
{
    struct ends x = ends_of(a), y = ends_of(b);

    return a->event->operation == OPERATION_RENAME && b->event->operation == OPERATION_RENAME && same_move(&x, &y);
}

/* ---- observations that were emitted without their other one ---- */

static bool is_content(enum operation operation)
{
    return operation == OPERATION_OPEN_WRITE || operation == OPERATION_WRITE || operation == OPERATION_TRUNCATE;
}

/* Not every kernel reports what an overlay writes to its layer: then the layer's observation is of somebody who wrote there
 * directly, and the file has another time. */
static int64_t ctime_of(const struct event *e)
{
    return is_content(e->operation) && (e->file.known & FILE_CTIME) ? e->file.ctime_ns : 0;
}

static struct bytes copy(struct bytes path)
{
    char *text = path.data ? malloc(path.len + 1) : NULL;

    if (!text)
        return BYTES_NULL;
    memcpy(text, path.data, path.len);
    text[path.len] = '\0';
    return (struct bytes){ text, path.len };
}

void fanotify_unpaired_add(struct fanotify_unpaired *a, const struct fanotify_observation *observation, uint64_t now_ns)
{
    struct unpaired_observation *s = &a->observations[a->next];

    a->next = (a->next + 1) % OBSERVATIONS;
    drop(a, s);
    a->count++;
    *s = (struct unpaired_observation){ .added_ns = now_ns,
                         .group = observation->group,
                         .view = observation->view,
                         .pid = observation->event->actor.pid,
                         .operation = observation->event->operation,
                         .ctime_ns = ctime_of(observation->event),
                         .ends = { copy(observation->event->path), copy(observation->event->previous_path), observation->below } };
}

bool fanotify_unpaired_take(struct fanotify_unpaired *a, const struct fanotify_observation *observation, uint64_t now_ns)
{
    struct ends ends = ends_of(observation);

    /* the latest that matches: earlier ones were paired with earlier observations */
    for (size_t i = 1; i <= OBSERVATIONS && a->count; i++) {
        struct unpaired_observation *s = &a->observations[(a->next + OBSERVATIONS - i) % OBSERVATIONS];

        if (!s->added_ns || s->view == observation->view || s->group != observation->group ||
            s->pid != observation->event->actor.pid || s->operation != observation->event->operation ||
            s->ctime_ns != ctime_of(observation->event) || now_ns - s->added_ns > KEEP_NS ||
            !same_place(s->operation, &s->ends, &ends))
            continue;
        drop(a, s);
        return true;
    }
    return false;
}

void fanotify_unpaired_emptied(struct fanotify_unpaired *a)
{
    for (size_t i = 0; i < OBSERVATIONS && a->count; i++)
        if (a->observations[i].view == VIEW_MERGED && !is_content(a->observations[i].operation))
            drop(a, &a->observations[i]);
}
