/* SPDX-License-Identifier: MIT */
/* A descriptor of another process, opened once more, where nothing but writing to whoever reads can come of it. */
#pragma once

#include <sys/types.h>

#include "util/bytes.h"
#include "util/err.h"

/*
 * For writing, and never waited for: the pipe that a process has as descriptor `number`. Nothing else is opened: no file, terminal, socket, nor a fifo
 * with a name, which the process might have for reading only, and which might be another one's.
 * cgroup: a part of the process's cgroup, by which it is known that the pid is still that process's.
 * -ESRCH: it is not, or gone; -ENOTSUP: that descriptor is no pipe, or it has none. Any thread.
 */
int foreign_pipe_open(pid_t pid, int number, struct bytes cgroup, struct err *err);
