/* SPDX-License-Identifier: MIT */
/*
 * Who is born, executes, dies: the stream that keeps attribution's process table. A table of
 * trackers, best first; the first that opens is used.
 */
#pragma once

#include <stdbool.h>

#include "event/event.h"
#include "event/process_event.h"
#include "util/err.h"
#include "util/log.h"

struct tracker;

struct tracker_sink {
    void *data;
    void (*process)(void *data, const struct process_event *event);
    void (*gap)(void *data, const struct gap *gap); /* LOST_PROCESS_EVENTS */
};

struct tracker_options {
    const struct log *log;
    struct tracker_sink sink;
    bool credentials_only; /* only PROCESS_CRED is wanted: beside a tracker that captures the rest */
};

struct tracker_ops {
    const char *name;
    const char *weakness; /* one line, "" if none */
    bool captures;        /* its events hold all facts: nothing has to be read while the process lives */
    int (*open)(const struct tracker_options *options, void **ret, struct err *err);
    int (*fd)(const void *context);
    /* Deliver what is there, without blocking. */
    int (*dispatch)(void *context, struct err *err);
    void (*close)(void *context);
};

extern const struct tracker_ops *const trackers[]; /* NULL-terminated, best first */

/* Opens the best that works. -EPERM, -ENOTSUP ...: none does, err says why for the last one. */
int tracker_open(const struct tracker_options *options, struct tracker **ret, struct err *err);
/* The one that tracker_open() would take, NULL: none. Leaves nothing behind. */
const struct tracker_ops *tracker_probe(void);
const struct tracker_ops *tracker_ops_of(const struct tracker *tracker);
int tracker_fd(const struct tracker *tracker);
int tracker_dispatch(struct tracker *tracker, struct err *err);
void tracker_close(struct tracker *tracker); /* NULL is fine */
