/* SPDX-License-Identifier: MIT */
/* How a container's first process ended, as far as somebody has kept it. Not for other files than oci.c. */
#pragma once

#include "event/container.h"

/*
 * 0 to 255, or -1: not known. Kept by conmon in a file (Podman, CRI-O), by the kernel for a pidfd
 * (>= 6.15); containerd's shim gives it only by its API. Waits at most 20 ms for whoever reaps it.
 */
int oci_exit_code(const char *state_dir, const struct container *c, int pidfd);

/* How many processes of those cgroups (container.cgroup) the kernel has killed for want of memory; 0 if not known. */
uint64_t oci_oom_kills(struct bytes cgroups);
