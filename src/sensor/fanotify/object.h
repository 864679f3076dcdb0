/* SPDX-License-Identifier: MIT */
/* A watched path: what of it is open, and whether what is there is still what the index knows. It is marked and listed
 * by place.h. */
#pragma once

#include "sensor/fanotify/state.h"

/* Copies what `wanted` points to. Nothing is marked yet. -ENOMEM. */
int fanotify_object_new(struct sensor *s, const struct watch_object *wanted,
                        struct fanotify_object **ret, struct err *err);
void fanotify_object_free(struct fanotify_object *o); /* NULL is fine */
/* The directories on the way to the path are nothing to it any more. */
void fanotify_object_drop_ancestors(struct fanotify_object *o);
/* Of a fanotify object: for watched_ops. */
bool fanotify_object_is_stale(struct watched_object *w);
/* Another file may be at the path now: looked at as soon as the queue is empty. */
void fanotify_object_request_recheck(struct fanotify_object *o, uint64_t real_ns); /* CLOCK_REALTIME: of the event that says so */
/* A directory of the tree, O_PATH; borrowed until the end of the batch. -ESTALE: not there any more. */
int fanotify_object_directory(struct fanotify_object *o, uint32_t directory);
/* Some directory of that file system, on the way to the path; the caller closes. */
int fanotify_object_near(struct fanotify_object *o, uint64_t fsid);
/* The upper layer of the overlay that it is on, by a directory of that; NULL: none. Borrowed until the end of the batch. */
const struct fanotify_layer *fanotify_object_layer(struct fanotify_object *o, int directory);
void fanotify_object_close(struct fanotify_object *o); /* the descriptors of a batch */
void fanotify_object_note_open(struct fanotify_object *o); /* it has some now, to be closed at the batch's end */
/* Is this name one of those that are watched? */
bool fanotify_object_covers(const struct fanotify_object *o, uint32_t directory, struct bytes name);
/* The watched thing itself: its name in the index; 0 = not there. */
uint32_t fanotify_object_top(const struct fanotify_object *o);
/* Both at once, of one that needs no recheck: is it stale, is it another? What is open of it is closed and opened anew. */
bool fanotify_object_look(struct fanotify_object *o, bool *ret_other);
/* Something was mounted over the path, or taken away: it is another thing than the index knows. */
bool fanotify_object_is_other(struct fanotify_object *o);
