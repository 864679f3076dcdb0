/* SPDX-License-Identifier: MIT */
/* The two steps behind the opening of the device, for tests: both only read, and believe nothing of what they read. */
#pragma once

#include "clues/deleted_burst.h"

/* Facts of the inodes that were deleted at a moment. -EBADMSG: it is no file system that can be read. */
int deleted_read(const struct deleted_place *place, const struct clue_question *q, struct sbuf *answer);
