/* SPDX-License-Identifier: MIT */
/*
 * Who is born, executes, dies: the stream that keeps attribution's process table. A table of
 * trackers, best first; the first that opens is used.
 */
#pragma once

#include "sensor/process/tracker_ops.h"

struct tracker;

extern const struct tracker_ops *const trackers[]; /* NULL-terminated, best first */

/* Opens the best that works. -EPERM, -ENOTSUP ...: none does, err says why for the last one. */
int tracker_open(const struct tracker_options *options, struct tracker **ret, struct err *err);
/* The one that tracker_open() would take, NULL: none. Leaves nothing behind. */
const struct tracker_ops *tracker_probe(void);
const struct tracker_ops *tracker_ops_of(const struct tracker *tracker);
int tracker_fd(const struct tracker *tracker);
int tracker_dispatch(struct tracker *tracker, struct err *err);
void tracker_close(struct tracker *tracker); /* NULL is fine */
