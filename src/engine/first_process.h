/* SPDX-License-Identifier: MIT */
/* A container's first process by what the kernel says: its engine is not asked. Any thread may call these. */
#pragma once

#include <sys/types.h>

#include "util/bytes.h"

/* The process that is 1 in its own pid namespace, in this directory of cgroups or below it. 0: none. */
pid_t first_process_in(const char *directory);

/* The directory that the cgroup of container `id` has, by one of its processes: the same in its next life. To be freed;
 * NULL: not known, or the id is no part of it. */
char *first_process_place(pid_t pid, struct bytes id);

/* The first process that is there now. `upper`: the container's writable layer, which its root must be made of, so that neither
 * a runtime's step before that nor another container is taken for it. 0: none. */
pid_t first_process_now(const char *place, struct bytes upper);
