/* SPDX-License-Identifier: MIT */
/* Paths through /proc/PID/root. */
#pragma once

#include "util/bytes.h"

/* "/prd/x" of "/proc/2190/root/prd/x"; any other path as it is. */
struct bytes replay_below_root(struct bytes path);
