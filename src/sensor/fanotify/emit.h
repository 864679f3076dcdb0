/* SPDX-License-Identifier: MIT */
/* From what happened to a name to the event that is emitted. */
#pragma once

#include "sensor/fanotify/state.h"

/* Without a path and what is there. */
struct event *fanotify_event_bare(struct fanotify_object *o, enum operation operation,
                                  const struct fanotify_cause *cause);
struct event *fanotify_event_new(struct fanotify_object *o, enum operation operation,
                                 uint32_t directory, struct bytes name, const struct file_state *file,
                                 const struct fanotify_cause *cause);
int fanotify_path(const struct fanotify_object *o, uint32_t directory, struct bytes name, struct sbuf *out);
/* e: NULL is fine. cause: with which it was made. */
void fanotify_send(struct fanotify_object *o, struct event *e, const struct fanotify_cause *cause);
/* A folder above was replaced at that time (CLOCK_REALTIME; 0 = it was not), and the path has been looked at now. */
void fanotify_replaced_gap(struct fanotify_object *o, uint64_t from_real_ns);
void fanotify_gap(struct sensor *s, enum lost reason, uint64_t count, uint64_t from_real_ns, const char *text);
/* The same of this object alone: the text names it. */
void fanotify_object_gap(const struct fanotify_object *o, enum lost reason, uint64_t from_real_ns, const char *text);
