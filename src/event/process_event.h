/* SPDX-License-Identifier: MIT */
/*
 * What a process tracker reports: a process was born, executes something else, is gone. The tracker
 * hands over what it captured itself; what it does not know, attribution/ reads from /proc at once.
 */
#pragma once

#include "event/process.h"

enum process_event_kind {
    PROCESS_FORK,  /* a new process (not a thread) */
    PROCESS_EXEC,
    PROCESS_EXIT,  /* the whole process, not a thread */
    PROCESS_CRED,  /* its user or group ids changed */
    PROCESS_COMM,  /* its name changed */
    PROCESS_CGROUP, /* it was moved to another cgroup */
};

struct process_event {
    enum process_event_kind kind;
    uint64_t boot_ns;     /* CLOCK_BOOTTIME, when the kernel did it */
    pid_t pid;            /* tgid */
    pid_t parent_pid;     /* PROCESS_FORK: who launched it; else 0 */
    uint64_t start_ns;    /* CLOCK_BOOTTIME; 0 = the tracker does not know */
    /* What was captured in the kernel, or NULL: a record without parent, origin and owner. Borrowed:
     * the receiver takes a reference if it keeps it, and may fill in what is unknown. Only PROCESS_EXEC
     * brings paths and arguments; the others have name, credentials and cgroup. */
    struct process *captured;
};
