/* SPDX-License-Identifier: MIT */
/* What a program that was started for an answer prints, and how it ended. */
#pragma once

#include <sys/types.h>

#include "util/sbuf.h"

/* Appends what comes until its end. 0; 1: there is more than `max` bytes; -ETIMEDOUT: its end did not come in time; -errno. */
int program_output(int fd, size_t max, unsigned timeout_ms, struct sbuf *out);

/* r: what program_output() returned: but for 0 it is killed first. Its exit status; 255: a signal ended it. */
int program_wait(pid_t pid, int r);
