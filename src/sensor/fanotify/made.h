/* SPDX-License-Identifier: MIT */
/* What was made recently and is gone already. */
#pragma once

#include "sensor/fanotify/state.h"

/* NULL: memory. */
struct fanotify_made *fanotify_made_new(void);
void fanotify_made_free(struct fanotify_made *m); /* NULL is fine */
/* An object was emitted as new under its first name; was it before? */
void fanotify_made_note(struct sensor *s, const struct fanotify_handle *object);
/* Attributes of this object of the index were changed, and it could not be looked at: what differs next was not all done then. */
void fanotify_unseen_note(struct fanotify_object *o, uint32_t object);
bool fanotify_unseen_take(struct fanotify_object *o, uint32_t object); /* and it is looked at now */
bool fanotify_made_before(const struct sensor *s, const struct fanotify_handle *object);
/* Made by that process, which had not closed it yet, and gone before it could be looked at: when it closes
 * it, that ends its making. closes: this is it. */
void fanotify_made_open(struct sensor *s, const struct fanotify_handle *object, pid_t pid);
bool fanotify_made_is_open(struct sensor *s, const struct fanotify_handle *object, pid_t pid, bool closes);
/* A name whose object was gone before it could be looked at: it is not in the index. */
void fanotify_tombstone_add(struct fanotify_object *o, uint32_t directory, struct bytes name);
bool fanotify_tombstone_is(const struct fanotify_object *o, uint32_t directory, struct bytes name);
bool fanotify_tombstone_take(struct fanotify_object *o, uint32_t directory, struct bytes name); /* true: there was one */
void fanotify_tombstones_forget(struct sensor *s); /* the queue is empty: what is gone is gone */
/* The object that came to that name last, by the kernel's word; NULL: none, it went. */
/* A directory gets its own mark now, and what was done in it before was not seen: until when, CLOCK_REALTIME; 0 = all was. */
void fanotify_marked_note(struct fanotify_object *o, uint32_t directory);
uint64_t fanotify_marked_at(const struct fanotify_object *o, uint32_t directory);
void fanotify_arrival_note(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_handle *object);
bool fanotify_arrival_is(const struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_handle *object);
