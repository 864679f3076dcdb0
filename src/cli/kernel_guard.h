/* SPDX-License-Identifier: MIT */
/* guard by programs in the kernel, as the command has it: which way, begin and test, and what became of it. */
#pragma once

#include <pthread.h>

#include "cli/guard_allow.h"
#include "guard/choose.h"
#include "guard/guard.h"
#include "sensor/bpf/guarding.h"

struct kernel_guard {
    enum guard_way way;
    struct bpf_guard_test test;
    struct bpf_guard_counts counts; /* as it begins, and after the end */
    struct guard_allowances allowed;
    uint64_t mounted_below; /* the targets, not guarded: to be written down */
    uint64_t until_ns; /* CLOCK_MONOTONIC; 0: until it is ended */
    int state_fd;
    char *state_name; /* owned; NULL: it was not begun */
    uint64_t written_writers; /* older writers, as they are written down */
    pthread_t follower; /* of those who may, over their restarts, and of older writers */
    int stop_fd;        /* readable: it is to end; -EBADF: there is none */
};

#define KERNEL_GUARD_NULL ((struct kernel_guard){ .state_fd = -EBADF, .stop_fd = -EBADF })

/*
 * Which way the targets are guarded here; says the reason where it is said. For a way by BPF the programs are loaded when it
 * returns, before anything is observed. -ENOTSUP, -EPERM: not as wished.
 */
int kernel_guard_choose(const struct guard_wish *wish, struct kernel_guard *ret, struct err *err);
/* What is observed is refused from now on, tested, and written down for `doctor`. An error: nothing is. */
int kernel_guard_begin(struct kernel_guard *g, struct bytes target, uint64_t for_ns, uint64_t confirm_ns, struct err *err);
/* It goes on although it had to be confirmed. */
void kernel_guard_confirmed(struct kernel_guard *g);
/* Once observing is over, before the sensors are closed. Fills in the counts. */
void kernel_guard_end(struct kernel_guard *g);
void kernel_guard_say_end(const struct kernel_guard *g);
void kernel_guard_write(const struct kernel_guard *g, struct sbuf *out); /* members of culprit.guard */
const char *guard_way_words(enum guard_way way); /* "by the kernel's security module bpf" */
