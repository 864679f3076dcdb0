/* SPDX-License-Identifier: MIT */
/* Directories that were made and are gone again. */
#pragma once

#include "sensor/fanotify/state.h"

/* NULL: memory. */
struct fanotify_gone *fanotify_gone_new(void);
void fanotify_gone_free(struct fanotify_gone *g); /* NULL is fine */
/* Its place in the index, until its end is emitted, for what was done in it. False: it has none. */
bool fanotify_gone_add(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_handle *handle);
bool fanotify_gone_is(const struct file_state *state); /* of such a directory: nothing of it is known */

/* The end of one, which is known, while what was done in it comes yet. */
struct fanotify_end {
    struct fanotify_object *object;
    uint32_t directory; /* object of its index */
    struct fanotify_cause cause;
};

/* It waits until the queue is empty. Not while fanotify_gone_is_full(). */
void fanotify_gone_end(struct fanotify_object *o, uint32_t directory, const struct fanotify_cause *cause);
bool fanotify_gone_is_full(const struct sensor *s);
bool fanotify_gone_ends(const struct fanotify_object *o, uint32_t directory); /* is its end known? */
/* The oldest of those that wait, to be emitted; false: there is none. */
bool fanotify_gone_take(struct sensor *s, struct fanotify_end *ret);
/* The oldest of those of that directory and of what was in it. */
bool fanotify_gone_take_at(struct fanotify_object *o, uint32_t directory, struct fanotify_end *ret);
void fanotify_gone_forget(struct fanotify_object *o);
