/* SPDX-License-Identifier: MIT */
/* The directories that files are put into. They may be somebody's who rearranges them meanwhile. */
#pragma once

#include "engine/view.h"
#include "util/bytes.h"
#include "util/err.h"

/*
 * The directory at `path` beneath the directory root_fd: O_PATH, the caller's. No symbolic link is followed, no mount is
 * entered, ".." is none: what was somewhere else when it was looked up is not what is opened. -ELOOP: a link is on
 * the way, -EXDEV: a mount, -ENOTDIR, -ENOENT.
 */
int place_open_directory(int root_fd, struct bytes path);

/*
 * The root of a running container's overlay as its processes see it: O_PATH, the caller's. -ESRCH: it has ended meanwhile;
 * -EXDEV: its first process has another root than the one that the engine made; err says so.
 */
int place_open_container(const struct container_view *view, struct err *err);

/* Is an overlay mounted whose upper directory this is, in any mount namespace? What is mounted is written to through it
 * alone. -errno: that cannot be known. */
int place_is_mounted(struct bytes upper);
