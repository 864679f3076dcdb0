/* SPDX-License-Identifier: MIT */
/* A process that was forked to go on by itself, beside its parent. */
#pragma once

#include <stdint.h>

/*
 * Gives away what is the parent's: all descriptors but `keep` (standard input, output and error become /dev/null, unless keep is one of them), the
 * directory, signals for the parent's end. name: of the process, 15 bytes at most.
 */
void child_begin(int keep, const char *name);

/*
 * The calling process is killed by the kernel after `after_ns` nanoseconds, whether it is stopped, waits for a file that never
 * answers, or has become another user, and whoever else is still there. Forked ones do not inherit that; once a process. -errno.
 */
int child_end_after(uint64_t after_ns);
