/* SPDX-License-Identifier: MIT */
/* The daemon's metrics over HTTP, on this machine. In the pipeline's loop. */
#pragma once

#include "daemon/pipeline.h"
#include "daemon/status.h"

struct metrics;

/* All of it is borrowed until metrics_end(). */
struct metrics_options {
    struct bytes address; /* util/loopback.h */
    struct pipeline *pipeline;
    void *data;
    void (*view)(void *data, struct status_view *ret); /* what there is to show, as it is now */
};

/* -errno with the address. */
int metrics_start(const struct metrics_options *options, struct metrics **ret, struct err *err);
unsigned metrics_port(const struct metrics *m); /* the one it has */
void metrics_idle(struct metrics *m); /* NULL is fine, here and below */
void metrics_end(struct metrics *m);
