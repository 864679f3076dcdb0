/* SPDX-License-Identifier: MIT */
/* Moves of directories above the watched path, and names outside of it. For rename.c, by the loop's thread. */
#pragma once

#include "sensor/fanotify/state.h"

/* The directory that is component `depth` of the path's parent moved `away`, or came: the path goes or comes with it. */
void fanotify_rename_above(struct fanotify_object *o, uint32_t depth, const struct fanotify_event *e, bool away,
                           const struct fanotify_cause *now);
/* Sets *field, a field of `e`, to the full path of a place that is not watched; left BYTES_NULL where it cannot be found. */
void fanotify_rename_outside(struct fanotify_object *o, const struct fanotify_place *place, struct event *e, struct bytes *field);
