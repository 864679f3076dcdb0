/* SPDX-License-Identifier: MIT */
/*
 * A change made through an overlay is seen by the overlay and by the upper layer behind it. Kept here: observations that
 * came without the other one, until that comes. It is of the same change, and is not emitted again.
 *
 * Between the two a process may lose the processor, for however long: then the layer's has been emitted before the overlay's
 * comes. And the kernel joins what happens to a file with an event of it that waits in the queue: what a process does to a
 * file right after it closed it (the overlay says so first, the layer after it) comes in that order.
 *
 * Pure: what is looked at is handed in.
 */
#pragma once

#include "event/event.h"
#include "event/watch_object.h"

struct fanotify_unpaired;

/* One entry of the fold: the event and the terms of its paths. */
struct fanotify_observation {
    const struct event *event;
    uint32_t group;
    enum view view; /* VIEW_MERGED or VIEW_UPPER */
    size_t below;   /* where the path below the watched one begins in the event's paths */
};

struct fanotify_unpaired *fanotify_unpaired_new(void); /* NULL: out of memory */
void fanotify_unpaired_free(struct fanotify_unpaired *a); /* NULL is fine */

/* Are both of one change? */
bool fanotify_observation_is_same(const struct fanotify_observation *a, const struct fanotify_observation *b);
/* A folder above both was moved: the same one. */
bool fanotify_observation_is_same_move(const struct fanotify_observation *a, const struct fanotify_observation *b);

/* The observation is emitted without the other view's; what is kept of it is copied. now_ns: CLOCK_MONOTONIC. */
void fanotify_unpaired_add(struct fanotify_unpaired *a, const struct fanotify_observation *observation, uint64_t now_ns);
/* Is this the other view's of one that was emitted unpaired? It is forgotten by that: one change has two observations. */
bool fanotify_unpaired_take(struct fanotify_unpaired *a, const struct fanotify_observation *observation, uint64_t now_ns);
/* The kernel's queue was read to its end: what the layer reports of a name has come before the overlay's now. */
void fanotify_unpaired_emptied(struct fanotify_unpaired *a);
