/* SPDX-License-Identifier: MIT */
/*
 * Which processes there are: the tracker's notifications. Where the tracker captures the facts in the kernel, they are
 * handed on as they come. Where it reports pids only, /proc must be read before the process is gone, which may be
 * within a millisecond: a thread of its own looks at once, whatever the rest of the program is busy
 * with; what it saw is handed over in order.
 */
#pragma once

#include "event/event.h"
#include "event/process_event.h"
#include "sensor/process/tracker.h"
#include "util/err.h"
#include "util/log.h"

struct follower;

struct follower_options {
    const struct log *log;
    void *data;
    /* Called from follower_dispatch(). */
    void (*process)(void *data, const struct process_event *event);
    void (*gap)(void *data, const struct gap *gap);
};

/* log, data: borrowed until follower_close(). -errno, with err's text: no tracker can be opened. To be called while privileges are
 * there. */
int follower_open(const struct follower_options *options, struct follower **ret, struct err *err);
/* Begins to look; until then the kernel's queue holds what comes. After privileges_drop(): a thread keeps what the
 * process had when it was started. */
int follower_start(struct follower *f, struct err *err);
const struct tracker_ops *follower_tracker(const struct follower *f); /* the one in use */
int follower_fd(const struct follower *f); /* readable when there are notifications */
/* Deliver everything that the kernel has reported before this call. */
void follower_dispatch(struct follower *f);
void follower_close(struct follower *f); /* NULL is fine */
