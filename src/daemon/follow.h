/* SPDX-License-Identifier: MIT */
/*
 * Who lives: the tracker's news, with what /proc says of each process that executes something. A
 * process may be gone within a millisecond, so a thread of its own looks at once, whatever the rest
 * of the program is busy with; what it saw is handed over in order.
 */
#pragma once

#include "event/event.h"
#include "event/process_event.h"
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

int follower_open(const struct follower_options *options, struct follower **ret, struct err *err);
int follower_fd(const struct follower *f); /* readable when there is news */
/* Deliver everything that the kernel has told before this call. */
void follower_dispatch(struct follower *f);
void follower_close(struct follower *f); /* NULL is fine */
