/* SPDX-License-Identifier: MIT */
/* The command line of `culprit guard`. */
#pragma once

#include "cli/guard_command.h"

/* q: zeroed; it refers to argv. 0, or the exit status, after having said why. */
int guard_args_parse(int argc, char **argv, struct guard_command *q);
