/* SPDX-License-Identifier: MIT */
/*
 * Names everywhere, for a container that is not there yet. What concerns nobody is kept until the objects are there that it
 * may belong to.
 */
#pragma once

#include "sensor/fanotify/state.h"
#include "sensor/object/startup_buffer.h"

struct fanotify_window *fanotify_window_new(void);  /* NULL: out of memory */
void fanotify_window_free(struct fanotify_window *w); /* NULL is fine */
/* Marks every file system of ours that is not marked anyway, until it is closed; where that fails, a file system is left out. */
void fanotify_window_open(struct sensor *s);
void fanotify_window_close(struct sensor *s);

/* An event that waits, in the window's start-up buffer. */
struct fanotify_startup_entry {
    struct fanotify_cause cause;
    size_t len;
    char bytes[]; /* as they came */
};

/* Keeps a copy of an event that no object covers, with what is known of its actor. Where the buffer is full the oldest goes. */
void fanotify_window_hold(struct sensor *s, const struct fanotify_event *e, const struct fanotify_cause *now);
/* Lent: the window's. */
struct startup_buffer *fanotify_window_startup(struct fanotify_window *w);
