/* SPDX-License-Identifier: MIT */
/* The sensors: opened at the start, left where another program takes their place. */
#pragma once

#include "daemon/pipeline_state.h"

/* Chooses and opens them, and gives away the privileges that are not needed any more. -ENODEV: none could be opened. */
int pipeline_open_sensors(struct pipeline *p, struct err *err);
/* Of several sensors, those whose place was taken are closed. */
void pipeline_leave_taken_sensors(struct pipeline *p);
