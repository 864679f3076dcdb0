/* SPDX-License-Identifier: MIT */
/* Files of the host that lists are read from. */
#pragma once

#include "util/arena.h"
#include "util/bytes.h"

/* The whole of it, in the arena. Empty: it is not there, no regular file, or longer than `max` bytes. */
struct bytes host_text(struct arena *arena, const char *path, size_t max);
