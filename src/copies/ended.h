/* SPDX-License-Identifier: MIT */
/* Containers' roots that are no more: each life of a container may have another, and a list of all of them has no end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/bytes.h"

#define ROOTS_FEW 64u /* so many of containers are kept without a look at which have ended */

/* Is anything mounted at that path? table: a mountinfo (util/mountinfo.h). Pure. */
bool ended_is_mounted(struct bytes table, struct bytes point);
/* So many may there be before it is looked again at which have ended, of those that are left after a look. Pure. */
size_t ended_next_look(size_t left);
