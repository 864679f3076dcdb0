/* SPDX-License-Identifier: MIT */
/* Programs by what they mean to the search for a cause. Pure: names only. */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"

/* It runs the command that it is given, and is seen through: sudo, xargs, timeout. */
bool wrapper_is(struct bytes name);
/* It does what it is told and nothing by itself: rm, sed, tar. Whoever runs it explains the change. */
bool tool_is(struct bytes name);
/* By this very name, and it is not one of those that their arguments tell more of, as git's do. */
bool tool_is_plain(struct bytes name);
/* "sudo": people change the user by it, and call it that; NULL: they do not. */
const char *changer_name(struct bytes name);
/* For tests: the tables; NULL past the end. */
const char *wrapper_row(size_t index);
const char *tool_row(size_t index);
const char *changer_row(size_t index);
