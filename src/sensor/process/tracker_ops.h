/* SPDX-License-Identifier: MIT */
/* One way to learn of processes: a row of the table in tracker.c. */
#pragma once

#include <stdbool.h>

#include "event/event.h"
#include "event/process_event.h"
#include "util/err.h"
#include "util/log.h"

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
