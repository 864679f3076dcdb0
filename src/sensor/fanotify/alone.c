/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/alone.h"

#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

#define SIGHTS 256 /* the latest; a machine that is so busy that more are under way tells one twice */
#define KEEP_NS (60 * NS_PER_S)

/* Where a change was, in an object's own terms. */
struct ends {
    struct bytes path, previous;
    size_t below;
};

struct alone_sight {
    uint64_t added_ns; /* 0 = none */
    uint32_t group;
    enum view view;
    pid_t pid;
    enum operation operation;
    int64_t ctime_ns;
    struct ends ends; /* paths of our own */
};

struct fanotify_alone {
    struct alone_sight sights[SIGHTS]; /* a ring, `next` is the oldest */
    size_t next, count;
};

struct fanotify_alone *fanotify_alone_new(void)
{
    return calloc(1, sizeof(struct fanotify_alone));
}

static void drop(struct fanotify_alone *a, struct alone_sight *s)
{
    a->count -= s->added_ns != 0;
    free((char *)(uintptr_t)s->ends.path.data);
    free((char *)(uintptr_t)s->ends.previous.data);
    *s = (struct alone_sight){ 0 };
}

void fanotify_alone_free(struct fanotify_alone *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < SIGHTS; i++)
        drop(a, &a->sights[i]);
    free(a);
}

/* ---- the same place ---- */

static struct ends ends_of(const struct fanotify_sight *s)
{
    return (struct ends){ s->event->path, s->event->previous_path, s->below };
}

/* The same directory above both: so far from their paths' ends, which read alike. */
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

bool fanotify_sight_is_same(const struct fanotify_sight *a, const struct fanotify_sight *b)
{
    struct ends x = ends_of(a), y = ends_of(b);

    return a->event->operation == b->event->operation && same_place(a->event->operation, &x, &y);
}

bool fanotify_sight_is_same_move(const struct fanotify_sight *a, const struct fanotify_sight *b)
{
    struct ends x = ends_of(a), y = ends_of(b);

    return a->event->operation == OPERATION_RENAME && b->event->operation == OPERATION_RENAME && same_move(&x, &y);
}

/* ---- sights that went out ---- */

static bool is_content(enum operation operation)
{
    return operation == OPERATION_OPEN_WRITE || operation == OPERATION_WRITE || operation == OPERATION_TRUNCATE;
}

/* Not every kernel tells what an overlay writes to its layer: then the layer's sight is of somebody who wrote there
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

void fanotify_alone_add(struct fanotify_alone *a, const struct fanotify_sight *sight, uint64_t now_ns)
{
    struct alone_sight *s = &a->sights[a->next];

    a->next = (a->next + 1) % SIGHTS;
    drop(a, s);
    a->count++;
    *s = (struct alone_sight){ .added_ns = now_ns,
                         .group = sight->group,
                         .view = sight->view,
                         .pid = sight->event->actor.pid,
                         .operation = sight->event->operation,
                         .ctime_ns = ctime_of(sight->event),
                         .ends = { copy(sight->event->path), copy(sight->event->previous_path), sight->below } };
}

bool fanotify_alone_take(struct fanotify_alone *a, const struct fanotify_sight *sight, uint64_t now_ns)
{
    struct ends ends = ends_of(sight);

    /* the latest that reads alike: each earlier one had its own */
    for (size_t i = 1; i <= SIGHTS && a->count; i++) {
        struct alone_sight *s = &a->sights[(a->next + SIGHTS - i) % SIGHTS];

        if (!s->added_ns || s->view == sight->view || s->group != sight->group ||
            s->pid != sight->event->actor.pid || s->operation != sight->event->operation ||
            s->ctime_ns != ctime_of(sight->event) || now_ns - s->added_ns > KEEP_NS ||
            !same_place(s->operation, &s->ends, &ends))
            continue;
        drop(a, s);
        return true;
    }
    return false;
}

void fanotify_alone_emptied(struct fanotify_alone *a)
{
    for (size_t i = 0; i < SIGHTS && a->count; i++)
        if (a->sights[i].view == VIEW_MERGED && !is_content(a->sights[i].operation))
            drop(a, &a->sights[i]);
}
