/* SPDX-License-Identifier: MIT */
/* What the tests of merging share: observations, and what comes out. */
#pragma once

#include "make.h"

#include "watch/fuse.h"

struct out {
    struct event *events[4096];
    size_t count;
};

static inline void keep(void *data, struct event *event)
{
    struct out *out = data;

    assert_true(out->count < ARRAY_SIZE(out->events));
    out->events[out->count++] = event;
}

static inline void out_done(struct out *out)
{
    for (size_t i = 0; i < out->count; i++)
        event_free(out->events[i]);
    out->count = 0;
}

static inline struct event *observed(unsigned sensor, enum operation operation, const char *path, pid_t pid)
{
    struct event *e = make_event(operation, path, NULL, NULL, 1);

    e->sensors = sensor;
    e->actor.pid = pid;
    return e;
}

static inline struct fuse *new_fuse(struct out *out, unsigned sensors)
{
    struct fuse_options options = { .sensors = sensors, .data = out, .event = keep };
    struct fuse *f = NULL;

    assert_int_equal(fuse_new(&options, &f, NULL), 0);
    return f;
}

#define BOTH (SENSOR_AUDIT | SENSOR_FANOTIFY)

static uint64_t expected;

static inline void number_it(void *data, struct event *event, uint64_t number)
{
    (void)data;
    assert_int_equal(event->spooled, 0);
    expected++;
    event->spooled = number ? number : expected << 16;
}

static inline struct event *at_time(struct event *e, uint64_t time_ns, const char *previous)
{
    e->time_ns = time_ns;
    if (previous)
        event_set(e, &e->previous_path, bytes_of(previous));
    return e;
}
