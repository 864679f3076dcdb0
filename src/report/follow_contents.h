/* SPDX-License-Identifier: MIT */
/* Contents and attributes that change: what their events count as. */
#pragma once

#include "report/follow_step.h"

/* An event that leaves the file where it is. */
void follow_changed(const struct step *step);
