/* SPDX-License-Identifier: MIT */
/* One observation from options to verdict: what `watch` and `run` have in common. */
#pragma once

#include "cli/junit_file.h"
#include "cli/print.h"
#include "cli/watch_args.h"

struct watch_session {
    struct watch_args args;
    struct pipeline *pipeline; /* NULL: the daemon observes for us */
    struct attached *attached;
    struct arena arena;
    struct printer printer;
    struct outlet outlet;
    int signal_fd, wait_fd;   /* wait_fd: both signals and `also_fd` */
    unsigned interrupts;
    bool hurry;               /* asked to end by somebody who will not read */
    bool is_run;
    struct junit_file *junit; /* run; NULL: none */
    void (*signalled)(struct watch_session *o, int number, pid_t sender);
    int also_fd;              /* what else is waited for, until `also` says no more; 0: nothing */
    void (*also)(struct watch_session *o);
    void *data;
};

/*
 * Opens everything, adds the targets and says `culprit: ready`. Signals INT, TERM, HUP and CHLD
 * come to `signalled` from then on.
 * Returns 0, or the exit code to leave with (the error was said).
 */
int watch_session_start(struct watch_session *o);
/* Do its sensors see attempts that the kernel refuses? After the start. */
bool watch_session_sees_refusals(const struct watch_session *o);
/* What has to be started was started: system calls that nobody needs any more are given up. */
void watch_session_confine(struct watch_session *o);
void watch_session_stop(struct watch_session *o);
struct case_ *watch_session_case(struct watch_session *o);
int watch_session_run(struct watch_session *o, uint64_t until_ns); /* CLOCK_MONOTONIC; 0 = until stopped */
/* Last events and the verdict. Returns culprit's own exit code, whatever COMMAND's is. */
int watch_session_finish(struct watch_session *o);
void watch_session_close(struct watch_session *o);
/* In a child: the signal mask as it was before. */
void watch_session_restore_signals(void);
