/* SPDX-License-Identifier: MIT */
/* When a process started, from proc(5)'s stat: with its pid, who it is. Any thread may call these. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/bytes.h"

/* The text of /proc/PID/stat. Pure.
 * ret_parent: the parent's pid, 0 = none. ret_start_ticks: clock ticks since boot. -EBADMSG: not such a text. */
int proc_stat_parse(struct bytes text, pid_t *ret_parent, uint64_t *ret_start_ticks);

/* Clock ticks since boot (sysconf(_SC_CLK_TCK) of them a second) -> nanoseconds, CLOCK_BOOTTIME. */
uint64_t proc_stat_ticks_to_ns(uint64_t ticks);

/* When process `pid` started, in clock ticks since boot; 0: it is gone. proc: "/proc", or a directory of the same shape. */
uint64_t proc_stat_start_ticks(const char *proc, pid_t pid);

/*
 * True if the process that had `pid` and started at start_ticks (0: whenever) is known to have ended, one that nobody has waited for yet included. False
 * where that is not known: /proc is not that of our pid namespace, or the clock of its time namespace is another. pid: in ours.
 */
bool proc_stat_is_gone(pid_t pid, uint64_t start_ticks);

/* It runs, or would if there were a processor for it. False also where that is not known: /proc is not that of our pid namespace. */
bool proc_stat_is_runnable(pid_t pid);

/* proc_stat_start_ticks() in nanoseconds of CLOCK_BOOTTIME, rounded down to a tick; 0: it is gone. */
uint64_t proc_stat_start_ns(const char *proc, pid_t pid);
