/* SPDX-License-Identifier: MIT */
/* What lies below a path: how many files, for "its writable layer with 21 files was dropped"; whether any was changed since. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/bytes.h"

/* Everything but directories below `path`, symbolic links not followed, one file system; stops at
 * 1,000,000. 0 if there is nothing. `path` is NUL-terminated. */
uint64_t count_files(struct bytes path);

/* Is all of it, and `path` itself, of that file system, and was it changed before that time of the file system's (ctime, CLOCK_REALTIME)?
 * Symbolic links are not followed. False also where there is nothing, more than 20,000 files and directories, or a file system
 * of another machine or a program that is mounted below it, or holds it and does not answer: none of those is looked at. `path` is NUL-terminated. */
bool count_is_older(struct bytes path, dev_t device, uint64_t time_ns);
