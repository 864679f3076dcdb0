/* SPDX-License-Identifier: MIT */
/*
 * Path patterns as .gitignore and the shells know them: `*` and `?` are anything but '/', `**` is anything, `[a-z]`
 * and `[!a-z]` one byte of a set (never '/'), a backslash takes what follows as it is. Of bytes, not of characters.
 * Pure; the time is bounded by the product of both lengths, so that a hostile name costs nothing.
 */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"

/* True if all of `text` matches. */
bool glob_matches(struct bytes pattern, struct bytes text);
/* True if the pattern matches the path, or a directory above it: what is excluded is so with all below. */
bool glob_covers(struct bytes pattern, struct bytes path);
