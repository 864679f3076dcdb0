/* SPDX-License-Identifier: MIT */
/* Directories that were made and are gone again. */
#pragma once

#include "sensor/fanotify/state.h"

struct fanotify_gone *fanotify_gone_new(void);
void fanotify_gone_free(struct fanotify_gone *g); /* NULL is fine */
/* Its place in the index, until its end is told, for what was done in it. False: it has none. */
bool fanotify_gone_add(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_handle *handle);
bool fanotify_gone_is(const struct file_state *state); /* of such a directory: nothing of it is known */
/* Its end is known, and what was done in it comes yet: told when the queue is empty. */
void fanotify_gone_end(struct fanotify_object *o, uint32_t directory, struct bytes name);
bool fanotify_gone_ends(const struct fanotify_object *o, uint32_t directory); /* is its end known? */
/* Something happens to that name: its own end, and the ends of what stood in it, come before. */
void fanotify_gone_before(struct fanotify_object *o, uint32_t name);
void fanotify_gone_flush(struct sensor *s);
void fanotify_gone_forget(struct fanotify_object *o);
