/* SPDX-License-Identifier: MIT */
/* Names that a listing found, until the queue says who made them. */
#pragma once

#include "sensor/fanotify/state.h"

#define FOUND_NOTE "found in a new folder: made, linked or moved there before it could be watched; the actor is that of the folder"

/* NULL: memory. Freeing NULL is fine. */
struct fanotify_found *fanotify_found_new(void);
void fanotify_found_free(struct fanotify_found *f);
/* cause: of the directory that was listed; it is presumed to be that of the name. */
void fanotify_found_add(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause);
/* The event of the name's creation is here, and emits it. True if it was in the list. */
bool fanotify_found_cancel(struct fanotify_object *o, uint32_t name);
/* Something else happened to it: it is to be emitted now, with that cause, which is valid until the list changes. NULL: it
 * is not in the list, or emitted already, or gone. */
const struct fanotify_cause *fanotify_found_take(struct fanotify_object *o, uint32_t name);
/* The event of the name's creation comes late: true, once, if it was emitted already. now: what is there; unknown:
 * it is gone. */
bool fanotify_found_was_emitted(struct fanotify_object *o, uint32_t name, const struct file_state *now, const struct fanotify_handle *object);
/* Something is there, but not that object: another one, which comes later. False also if that is not known. */
bool fanotify_found_later(struct fanotify_object *o, uint32_t name, const struct fanotify_handle *object);
/* A folder is being renamed: what was found in it may have come before or after that. */
void fanotify_found_moved(struct fanotify_object *o, uint32_t folder);
bool fanotify_found_has(struct fanotify_object *o, uint32_t name);
typedef void fanotify_found_emit(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause);
/* All of them, in the order of their finding; `emit` does not change the list. What was emitted long ago is forgotten. */
void fanotify_found_take_all(struct sensor *s, fanotify_found_emit *emit);
void fanotify_found_forget(struct fanotify_object *o); /* nothing of it will be emitted */
