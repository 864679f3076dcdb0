/* SPDX-License-Identifier: MIT */
/* Against whom nothing is ever done, and how often anything is. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/bytes.h"

/* A process, as /proc has it just now. */
struct response_process {
    pid_t pid, parent;
    struct bytes executable; /* the kernel's word; empty: a thread of the kernel, or not known */
    struct bytes cgroup;     /* of the unified hierarchy; empty: not known */
    bool contained;          /* it is in another namespace of pids than the daemon; false: it is not, or that is not known */
    bool others;             /* its executable is not root's, or others may write it; false: likewise */
};

/* The daemon: it and what is in its cgroup, unless that is the root's. */
struct response_own {
    pid_t pid;
    struct bytes executable, cgroup;
};

/* Why nothing is done to it; NULL: something may be. */
const char *response_never(const struct response_process *p, const struct response_own *own);
/* The same of all of a cgroup, without its processes. */
const char *response_never_cgroup(struct bytes cgroup, const struct response_own *own);

#define RESPONSE_LIMIT_MAX 60

/* So many acts in an hour; one more, and there are none any more. */
struct response_limit {
    uint64_t acts[RESPONSE_LIMIT_MAX]; /* when, CLOCK_MONOTONIC */
    size_t count, max;
    bool disarmed;
};

/* Another one, now? */
bool response_limit_take(struct response_limit *l, uint64_t now_ns);
/* The last one that was taken was none: nothing was done. */
void response_limit_give_back(struct response_limit *l);
