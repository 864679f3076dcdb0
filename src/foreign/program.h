/* SPDX-License-Identifier: MIT */
/* A program that was started for an answer: what it prints, and how it ended. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/sbuf.h"

/* Appends what comes until its end. 0; 1: there is more than `max` bytes; -ETIMEDOUT: its end did not come in time; -errno. */
int program_output(int fd, size_t max, unsigned timeout_ms, struct sbuf *out);

/* r: what program_output() returned: but for 0 it is killed first, and waited for a second at most. Its exit status; 255: a signal ended it, or
 * nothing does. */
int program_wait(pid_t pid, int r);

/* In its process, whose user is who it will be (another one's is forgotten): it is killed when `parent` ends, whatever it waits for. False: that
 * has ended. */
bool program_end_with(pid_t parent);
