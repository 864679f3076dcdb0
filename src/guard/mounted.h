/* SPDX-License-Identifier: MIT */
/* What is mounted below a target, and is not held with it: another file system, or another part of one, with files of its own. */
#pragma once

#include "guard/guard.h"
#include "util/arena.h"

#define GUARD_MOUNTED_MAX 16 /* that are named; all are counted */

struct guard_mounted {
    struct bytes paths[GUARD_MOUNTED_MAX]; /* as the target has them; in the caller's arena */
    size_t count, named;
    size_t own; /* of them those that only a container has: a tmpfs, what it mounted for itself */
};

/*
 * Adds those of one target to `ret`. by_kernel: the method bpf, which guards what is mounted below a path of the host and what a container's
 * engine has mounted, but not what a container has mounted for itself; the flags guard none of it. What the kernel shows as files (/proc, /sys) does not
 * count. What cannot be read is not known to be there.
 */
void guard_mounted_below(const struct guard_target *target, bool by_kernel, struct arena *arena, struct guard_mounted *ret);

/*
 * Those of a table (mountinfo's text) strictly below `path`, of several at one place one. known: mounts that are guarded; their count is 0
 * where none is. Pure.
 */
void guard_mounted_parse(struct bytes table, struct bytes path, const struct container_mount *known, size_t count, struct arena *arena,
                         struct guard_mounted *ret);
