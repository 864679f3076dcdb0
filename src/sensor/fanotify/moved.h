/* SPDX-License-Identifier: MIT */
/* Folders that are renamed while events about what is in them wait. */
#pragma once

#include "sensor/fanotify/state.h"

/*
 * The kernel merges into one event what one process does to one name, also where the folder was renamed in between: the event then
 * is queued where the first of it happened.
 */
enum fanotify_moved {
    FANOTIFY_UNMOVED,
    FANOTIFY_MOVED_AFTER, /* the event holds several things, and what waits behind it says that the folder, or one above it, was
                             renamed; or that cannot be known. Only the first of them was done where the index has the folder. */
    FANOTIFY_MOVED,       /* it went to and fro, and of such moves the kernel makes one: where it was is not known */
};
enum fanotify_moved fanotify_moved_between(struct fanotify_object *o, uint32_t directory, const struct fanotify_event *e,
                                           const struct fanotify_cause *now);

struct rename_end { /* a name in a directory of an object's index */
    bool here;      /* it is this object's */
    uint32_t directory;
    struct bytes name;
};

/* Is the folder that directory of the index, or one above it? */
bool fanotify_is_at_or_above(const struct fanotify_object *o, uint32_t folder, uint32_t directory);

/* Folders that came back to where they had been since the queue was empty. */
struct fanotify_restless;
struct fanotify_restless *fanotify_restless_new(void);
void fanotify_restless_free(struct fanotify_restless *r); /* NULL is fine */
void fanotify_restless_forget(struct fanotify_object *o);
/* The queue is empty: the index gets to know where they stand now. */
void fanotify_restless_emptied(struct sensor *s);
/* A folder's move, before the index has it. */
void fanotify_restless_add(struct fanotify_object *o, uint32_t folder, const struct rename_end *from, const struct rename_end *to);
bool fanotify_restless_is(const struct fanotify_object *o, uint32_t directory); /* it, or one above it */
