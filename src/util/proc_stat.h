/* SPDX-License-Identifier: MIT */
/* When a process started, from proc(5)'s stat: with its pid, who it is. Any thread may call these. */
#pragma once

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

/* The same in nanoseconds of CLOCK_BOOTTIME, rounded down to a tick; 0: it is gone. */
uint64_t proc_stat_start_ns(const char *proc, pid_t pid);
