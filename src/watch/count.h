/* SPDX-License-Identifier: MIT */
/* How many files there were: for "its writable layer with 21 files was dropped". */
#pragma once

#include <stdint.h>

#include "util/bytes.h"

/* Everything but directories below `path`, symbolic links not followed, one file system; stops at
 * 1,000,000. 0 if there is nothing. `path` is NUL-terminated. */
uint64_t count_files(struct bytes path);
