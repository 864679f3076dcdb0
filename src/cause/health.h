/* SPDX-License-Identifier: MIT */
/* Is a process in a container the check that its engine runs there? Pure. */
#pragma once

#include "event/process.h"

/* Does `p`, as it was executed, run `command`: struct container's health_check? A script is executed as the interpreter
 * that its #! names, with the script's path behind. */
bool health_check_is(struct bytes command, const struct process *p);
