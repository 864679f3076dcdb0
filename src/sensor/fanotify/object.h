/* SPDX-License-Identifier: MIT */
/* A watched path: marks on the way to it and below it, and the index of what is there. */
#pragma once

#include "sensor/fanotify/state.h"

int fanotify_object_new(struct sensor *s, const struct watch_object *wanted,
                        struct fanotify_object **ret, struct err *err);
void fanotify_object_free(struct fanotify_object *o);
/* Mark what there is of the path and begin the index. telling: what is found is news, by `cause`. */
int fanotify_object_place(struct fanotify_object *o, const struct fanotify_cause *cause, struct err *err);
bool fanotify_object_is_stale(struct fanotify_object *o);
/* Something else may stand at the path now: looked at as soon as the queue is empty. */
void fanotify_object_doubt(struct fanotify_object *o);
bool fanotify_object_gone(struct fanotify_object *o);
/* A directory of the tree, O_PATH; borrowed until the end of the batch. -ESTALE: not there any more. */
int fanotify_object_directory(struct fanotify_object *o, uint32_t directory);
/* Some directory of that file system, on the way to the path; the caller closes. */
int fanotify_object_near(struct fanotify_object *o, uint64_t fsid);
/* The upper layer of the overlay that it is on, by a directory of that; NULL: none. Borrowed until the end of the batch. */
const struct fanotify_layer *fanotify_object_layer(struct fanotify_object *o, int mount);
void fanotify_object_close(struct fanotify_object *o); /* the descriptors of a batch */
/* List and mark a directory that appeared; cause NULL: nothing in it is news. */
void fanotify_object_walk(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause);
void fanotify_object_walk_at(struct fanotify_object *o, int fd, uint32_t name, const struct fanotify_cause *cause);
/* Go on with looking at files; true when there is more. */
bool fanotify_object_list(struct fanotify_object *o, unsigned directories);
/* Is this name one of those that are watched? */
bool fanotify_object_covers(const struct fanotify_object *o, uint32_t directory, struct bytes name);
/* The watched thing itself: its name in the index; 0 = not there. */
uint32_t fanotify_object_top(const struct fanotify_object *o);
/* Something was mounted over the path, or taken away: it is another thing than the index knows. */
bool fanotify_object_is_other(struct fanotify_object *o);
