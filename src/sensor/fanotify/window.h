/* SPDX-License-Identifier: MIT */
/*
 * Names everywhere, for a container that is not there yet. What concerns nobody is kept until the objects are there that it
 * may belong to.
 */
#pragma once

#include "sensor/fanotify/state.h"
#include "sensor/object/startup_buffer.h"

struct fanotify_window *fanotify_window_new(void);
void fanotify_window_free(struct fanotify_window *w); /* NULL is fine */
void fanotify_window_open(struct sensor *s);
void fanotify_window_close(struct sensor *s);

/* An event that waits, in the window's start-up buffer. */
struct fanotify_startup_entry {
    struct fanotify_cause cause;
    size_t len;
    char bytes[]; /* as they came */
};

void fanotify_window_hold(struct sensor *s, const struct fanotify_event *e, const struct fanotify_cause *now);
struct startup_buffer *fanotify_window_startup(struct fanotify_window *w);
