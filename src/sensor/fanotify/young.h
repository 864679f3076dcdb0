/* SPDX-License-Identifier: MIT */
/*
 * An overlay takes no mark of the whole file system, so that what comes and goes in a new directory before its own mark is
 * not reported by it. The file system of its upper layer takes one, and a directory that was made in the overlay is all in
 * that layer, where the same is done to the same names just before. So for such directories, called young here, names and
 * attributes are taken from the layer, with handles made the overlay's, and what the overlay says of them is dropped. For
 * all others it is the other way round: there the layer's events are copies and whiteouts too.
 */
#pragma once

#include "sensor/fanotify/decode.h"
#include "sensor/fanotify/layer.h"

struct fanotify_young;
struct fanotify_object;
struct sensor;

struct fanotify_young *fanotify_young_new(void); /* NULL: out of memory */
void fanotify_young_free(struct fanotify_young *l); /* NULL is fine */

/* Marks the file system of the upper layer behind the overlay that `fd` is a directory of. False: it has none, or too many have. */
bool fanotify_young_begin(struct fanotify_object *o, int fd);
/* Of that overlay events of its layer come from now on. False: it is known, or there are too many. */
bool fanotify_young_know(struct fanotify_young *l, const struct fanotify_layer_key *key);
/* A directory that `handle` belongs to has come: is it all in the layer, by what is behind `fd`? fd -1: it was made, and is gone. */
bool fanotify_young_add(struct fanotify_object *o, uint32_t directory, const struct fanotify_handle *handle, int fd);
void fanotify_young_remove(const struct fanotify_object *o, uint32_t directory);

/* How much may be read at once, so that the layers' events have room in `size` once more. */
size_t fanotify_young_room(const struct fanotify_young *l, size_t size);
/* Events as they were read, each one of a layer's followed by the same with the overlay's handles. Returns the length. */
size_t fanotify_young_expand(const struct fanotify_young *l, struct bytes events, char *out, size_t size);
/* Does an event come behind the one that is being handled of which `is_that` says so? */
typedef bool fanotify_young_waits(struct sensor *s, bool (*is_that)(void *data, const struct fanotify_event *e), void *data);
/* What of the event is to be handled: its mask loses what is taken from the other one. False: nothing. waits: NULL if it is not
 * known what comes behind. */
bool fanotify_young_take(struct sensor *s, struct fanotify_event *e, fanotify_young_waits *waits);
