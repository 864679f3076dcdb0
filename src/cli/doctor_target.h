/* SPDX-License-Identifier: MIT */
/* `culprit doctor TARGET`: the proof that changes there are reported as they are. */
#pragma once

#include "cli/cli.h"

/* Makes changes beside the target, by each access path, and prints what of them was not reported right. sensors: as --sensor has it.
 * Returns the exit status. */
int doctor_target(const char *text, const char *sensors, enum format format);
