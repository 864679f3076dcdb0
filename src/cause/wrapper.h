/* SPDX-License-Identifier: MIT */
/* Programs by what they mean to the search for a cause. Pure: names only. */
#pragma once

#include <stdbool.h>

#include "cause/table.h"
#include "util/bytes.h"

extern const struct name_table wrapper_table, tool_table, changer_table; /* of names */

/* It runs the command that it is given, and is seen through: sudo, xargs, timeout. */
bool wrapper_is(struct bytes name);
/* It only does what its arguments say: rm, sed, tar. Whoever runs it explains the change. */
bool tool_is(struct bytes name);
/* A tool by its name alone, whatever its arguments; not so git, whose arguments say more. */
bool tool_is_plain(struct bytes name);
/* "sudo": people change the user by it, and call it that; NULL: they do not. */
const char *changer_name(struct bytes name);
