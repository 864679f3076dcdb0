/* SPDX-License-Identifier: MIT */
/* What `guard` says of itself: lines for people, and JSON of the dataset culprit.guard. */
#pragma once

#include "cli/guard_command.h"

/* action: "guard-begin", "guard-confirmed", "guard-end". */
void guard_print_json(struct guard_command *q, const char *action, const struct guard_method *method, const struct guard_released *released);
void guard_say_begun(struct guard_command *q, const struct guard_method *method);
