/* SPDX-License-Identifier: MIT */
/*
 * The daemon's proof that it sees: now and then a child makes a change of each kind in a directory of ours, and what comes out of the
 * pipeline is compared with what was done. What does not come back right is said loudly. One thread, which never waits for it.
 */
#pragma once

#include "daemon/arm.h"
#include "daemon/counts.h"
#include "daemon/pipeline.h"
#include "util/log.h"

struct heartbeat;

struct heartbeat_options {
    const struct log *log;
    const char *store_path; /* the directory of the changes lies beside it */
    uint64_t every_ns;
    struct arming *arming;
    struct pipeline *pipeline;
    struct status *status;
};

/* All is watched by now. -errno where the directory cannot be made: then there is no proof, and err says why. */
int heartbeat_start(const struct heartbeat_options *options, struct heartbeat **ret, struct err *err);
void heartbeat_end(struct heartbeat *h); /* NULL is fine; nothing is left behind */
void heartbeat_event(struct heartbeat *h, const struct event *event);
/* Each time the loop has done what there was. */
void heartbeat_idle(struct heartbeat *h);
