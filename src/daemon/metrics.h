/* SPDX-License-Identifier: MIT */
/* The daemon's metrics over HTTP, on this machine. In the pipeline's loop. */
#pragma once

#include "daemon/arm.h"
#include "daemon/counts.h"
#include "daemon/pipeline.h"

struct control;
struct metrics;

/* All of it is borrowed until metrics_end(). */
struct metrics_options {
    struct bytes address; /* util/loopback.h */
    const struct status *status;
    const struct arming *arming;
    struct pipeline *pipeline;
    const char *store_path;
    const struct control *control; /* NULL: there is none */
};

/* -errno with the address. */
int metrics_start(const struct metrics_options *options, struct metrics **ret, struct err *err);
unsigned metrics_port(const struct metrics *m); /* the one it has */
void metrics_idle(struct metrics *m); /* NULL is fine, here and below */
void metrics_end(struct metrics *m);
