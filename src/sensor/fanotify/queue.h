/* SPDX-License-Identifier: MIT */
/* What the kernel has for us, read ahead where it must be known what comes next. */
#pragma once

#include "sensor/fanotify/state.h"

/* NULL: memory. */
struct fanotify_queue *fanotify_queue_new(void);
void fanotify_queue_free(struct fanotify_queue *q); /* NULL is fine */
/* The next events, valid until fanotify_queue_done(), and when they were read. 0: there are none; -errno. */
int fanotify_queue_next(struct sensor *s, struct bytes *ret, struct fanotify_cause *ret_when);
void fanotify_queue_done(struct sensor *s);
/* Nothing of the following is known of what was in the start-up buffer (cause->replayed). What comes behind the event that is being handled, one after the other, from a cleared `at` on; valid as long as that event
 * is. False: there is nothing more, or it cannot be read yet. */
struct fanotify_ahead {
    unsigned buffer;
    struct bytes rest;
};
bool fanotify_queue_ahead(struct sensor *s, struct fanotify_ahead *at, struct fanotify_event *ret);
/* Reads what the kernel has. False: there is no room for all of it. */
bool fanotify_queue_read_ahead(struct sensor *s);
bool fanotify_queue_has_moves(const struct sensor *s); /* a folder's rename is among what was read and waits */
bool fanotify_queue_waits(const struct sensor *s);
bool fanotify_queue_is_read(const struct sensor *s); /* nothing waits, in the kernel either */

/* How many events wait now, at most, the kernel's and those read ahead: once so many more have been handled, what happened before has
 * been, however many have come since. */
uint64_t fanotify_queue_length(const struct sensor *s); /* there is more, whatever the kernel's descriptor says */
/* An event is about to be handled; it was. */
void fanotify_queue_begin(struct sensor *s, const struct fanotify_event *e, struct bytes rest); /* rest: what follows in the buffer */
void fanotify_queue_end(struct sensor *s, const struct fanotify_event *e);
/* May another process have changed attributes of the same file by now? True also if that cannot be known. */
bool fanotify_queue_others(struct sensor *s, const struct fanotify_event *e);
/* No other process has changed attributes or contents of the same file by now. False also if that cannot be known. */
bool fanotify_queue_is_alone(struct sensor *s, const struct fanotify_event *e);
/* Is that file written to by what still waits? Complete once fanotify_queue_others() has read ahead. */
bool fanotify_queue_writes(struct sensor *s, const struct fanotify_event *e);
/* After that: the processes of `e` and of what waits, for `ret`, each with one event. False: there are more, or one of
 * them has several. */
bool fanotify_queue_share(const struct sensor *s, const struct fanotify_event *e, struct event_share *ret);
/* So many changes by the same process were emitted with this event, and their own ones are still to come. */
void fanotify_queue_credit(struct sensor *s, const struct fanotify_event *e, unsigned more);
bool fanotify_queue_owed(struct sensor *s, const struct fanotify_event *e); /* one of those; it is counted off */
