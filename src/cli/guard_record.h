/* SPDX-License-Identifier: MIT */
/* guard --would-have DUR: who would have been refused, by what was recorded; nothing is held. */
#pragma once

#include "cli/guard_command.h"

/* The exit status, as `who` has it. */
int guard_would_have(struct guard_command *q);
