/* SPDX-License-Identifier: MIT */
/*
 * One process as /proc shows it. Everything is read through one descriptor of /proc/PID, so that a
 * pid that is used again in between cannot mix two processes.
 */
#pragma once

#include <sys/types.h>

#include "event/process.h"
#include "util/err.h"

/*
 * Read process `pid` (tgid; a thread's id gives its process). proc: "/proc", or a directory of the
 * same shape in tests. parent, origin and owner are not filled in; parent_pid is.
 * -ESRCH: there is no such process (any more).
 */
int procfs_read(const char *proc, pid_t pid, struct process **ret, struct err *err);

/* The process that thread `tid` belongs to; 0 if it is gone. */
pid_t procfs_tgid(const char *proc, pid_t tid);

/* The environment as it was given at the exec, each variable ended by a NUL, NUL behind it; caller frees. The process may
 * have written something else there since. start_ns: another process of that pid is -ESRCH. */
int procfs_read_environment(const char *proc, pid_t pid, uint64_t start_ns, char **ret, size_t *ret_len);

/* Call `each` for every pid. Stops when it returns non-zero, and returns that. */
int procfs_each(const char *proc, int (*each)(void *data, pid_t pid), void *data);

/* Pure parts, for tests and fuzzing. */
/* The value of the first "NAME=VALUE" of an environment, each ended by `end`; BYTES_NULL if there is none. */
struct bytes procfs_variable(struct bytes environment, const char *name, char end);
/* The text of /proc/PID/cgroup -> the path that says most: cgroup v2's if it is not "/", else the
 * longest of v1's. BYTES_NULL if none. */
struct bytes procfs_parse_cgroup(struct bytes text);
