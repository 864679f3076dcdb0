/* SPDX-License-Identifier: MIT */
/* Does a file that a process names begin with "#!"? */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"

/*
 * root:   its root directory, O_PATH; no link leads out of it
 * path:   from there
 * whose:  who chose the name (its user and world): one who named a file that never answered is not asked for a minute
 * Waits for 300 ms at most. False also where that is not known. From any thread.
 */
bool foreign_is_script(int root, struct bytes path, uint64_t whose);
