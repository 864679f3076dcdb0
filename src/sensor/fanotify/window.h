/* SPDX-License-Identifier: MIT */
/*
 * Names everywhere, for a container that is not there yet. What concerns nobody is kept until the objects are there that it
 * may belong to: LIMIT_FANOTIFY_HELD bytes at most, the older half gives way.
 */
#pragma once

#include "sensor/fanotify/state.h"

struct fanotify_window *fanotify_window_new(void);
void fanotify_window_free(struct fanotify_window *w); /* NULL is fine */
void fanotify_window_open(struct sensor *s);
void fanotify_window_close(struct sensor *s);
void fanotify_window_hold(struct sensor *s, const struct fanotify_event *e); /* the one before s->rest */
/* What is held, in order: start with *at = 0; false at the end. The event's bytes are valid until the next change. */
bool fanotify_window_next(const struct fanotify_window *w, size_t *at, struct fanotify_cause *ret_cause, struct bytes *ret);
/* How many gave way lately; they are counted once. */
uint64_t fanotify_window_take_lost(struct fanotify_window *w);
void fanotify_window_clear(struct fanotify_window *w);
