/* SPDX-License-Identifier: MIT */
/*
 * A change made through an overlay is seen by the overlay and by the upper layer behind it. Sights that came without
 * the other one, until that comes: it is of the same change, and is not told again.
 *
 * Between the two a process may lose the processor, for however long: then the layer's has been told before the
 * overlay's comes. And the kernel joins what happens to a file with an event of it that waits in the queue: what a
 * process does to a file right after it closed it (the overlay says so first, the layer after it) comes in that order.
 *
 * Pure: what is looked at is handed in.
 */
#pragma once

#include "event/event.h"
#include "event/watch_object.h"

struct fanotify_alone;

/* What stands in the fold: the event and the terms of its paths. */
struct fanotify_sight {
    const struct event *event;
    uint32_t group;
    enum view view; /* VIEW_MERGED or VIEW_UPPER */
    size_t below;   /* where the path below the watched one begins in the event's paths */
};

struct fanotify_alone *fanotify_alone_new(void);
void fanotify_alone_free(struct fanotify_alone *a);

/* Are both of one change? */
bool fanotify_sight_is_same(const struct fanotify_sight *a, const struct fanotify_sight *b);
/* A folder above both was moved: the same one. */
bool fanotify_sight_is_same_move(const struct fanotify_sight *a, const struct fanotify_sight *b);

/* The sight goes out without the other view's; what is kept of it is copied. now_ns: CLOCK_MONOTONIC. */
void fanotify_alone_add(struct fanotify_alone *a, const struct fanotify_sight *sight, uint64_t now_ns);
/* Is this the other view's of one that went out alone? It is forgotten by that: one change has two sights. */
bool fanotify_alone_take(struct fanotify_alone *a, const struct fanotify_sight *sight, uint64_t now_ns);
/* The kernel's queue was read to its end: what the layer tells of a name has come before the overlay's now. */
void fanotify_alone_emptied(struct fanotify_alone *a);
