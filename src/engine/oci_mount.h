/* SPDX-License-Identifier: MIT */
/* The overlay that a container runs on, by its own table of mounts. */
#pragma once

#include <sys/types.h>

#include "engine/view.h"

/* The overlay that is mounted at the root of process `pid`: fills upper, lower and merged of the view.
 * -ENOENT: its root is no overlay. */
int oci_overlay(const char *proc, pid_t pid, struct container_view *view);

/* Pure part: the line of `mount_point` in the text of a mountinfo. -ENOENT. */
int oci_parse_overlay(struct bytes mountinfo, struct bytes mount_point, struct container_view *view);
