/* SPDX-License-Identifier: MIT */
/* The descriptors that this process was started with: what it starts for its user gets these, and none that a library has opened since. */
#pragma once

#include <stdint.h>

#define INHERITED_MAX 4096 /* a greater number counts as one that it was started with */

struct inherited {
    uint64_t bits[INHERITED_MAX / 64];
};

/* Which there are now. Where /proc cannot be read all numbers count as there. */
void inherited_note(struct inherited *ret);
/* All that were opened since are closed by execve(). */
void inherited_keep(const struct inherited *i);
