/* SPDX-License-Identifier: MIT */
/* guard --keep: held by a process that goes on when this one ends, and begins it anew when somebody kills what holds it. */
#pragma once

#include "cli/guard_command.h"

/* With one thread. Returns once it is in force, or is not to be: the exit status. */
int guard_keep(struct guard_command *q);
