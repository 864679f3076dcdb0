/* SPDX-License-Identifier: MIT */
/* Names everywhere, for a container that is not there yet. */
#pragma once

#include "sensor/fanotify/state.h"

struct fanotify_window *fanotify_window_new(void);
void fanotify_window_free(struct fanotify_window *w);
void fanotify_window_open(struct sensor *s);
void fanotify_window_close(struct sensor *s);
void fanotify_window_hold(struct sensor *s, const struct fanotify_event *e); /* the one before s->rest */
void fanotify_window_replay(struct sensor *s);
