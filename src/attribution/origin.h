/* SPDX-License-Identifier: MIT */
/* Where a process runs: on the host, or in which container. */
#pragma once

struct engines;
struct process;

/* Sets p->origin and, for a container, p->container (a reference). Goes by its cgroup, by its launchers and what a runtime among them was
 * asked to do; ORIGIN_UNKNOWN where none of these proves it. engines: NULL where none are asked. */
void origin_find(struct engines *engines, struct process *p);
