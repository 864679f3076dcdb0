/* SPDX-License-Identifier: MIT */
/* Beginning to watch a path, also again when another file is there: marks first, then the index, so that nothing
 * appears unseen between; and what comes into it later as a whole. */
#pragma once

#include "sensor/fanotify/state.h"

/*
 * Armed by marks. The data of arm() is a struct fanotify_cause: what is found is emitted, with that cause; NULL: it is not.
 * Marks what there is of the path and begins the index. What was waiting to be emitted of the object is forgotten by arm()
 * and disarm().
 */
extern const struct watched_ops fanotify_object_ops;
/* The folder that it waits for has come, or a link: it is placed, with `emitted` as the data of arm(). A folder that is gone again already
 * was seen by nobody: a gap. now: of the event. */
void fanotify_object_came(struct fanotify_object *o, bool folder, const struct fanotify_cause *emitted, const struct fanotify_cause *now);
/* List and mark a directory that appeared; cause NULL: nothing in it is emitted. */
void fanotify_object_walk(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause);
/* The same by its descriptor, wherever it is now. */
void fanotify_object_walk_at(struct fanotify_object *o, int fd, uint32_t name, const struct fanotify_cause *cause);
/* Go on with looking at files; true when there is more. */
bool fanotify_object_list(struct fanotify_object *o, unsigned steps);
