/* SPDX-License-Identifier: MIT */
/* All files at and below a guarded place, once. Any thread; another file system's are a place of their own. */
#pragma once

#include <sys/stat.h>

#include "util/err.h"

/* fd: O_PATH, for the call only. Non-zero stops, and is returned. */
typedef int guard_tree_fn(void *data, int fd, const struct stat *st);

/*
 * `each` for all that is no directory and no symbolic link. fd: the place, any descriptor of it. -ELOOP: folders lie too deep;
 * -errno: what cannot be listed is an error, for it is not known what is in it; err says which.
 */
int guard_tree_each(int fd, guard_tree_fn *each, void *data, struct err *err);
