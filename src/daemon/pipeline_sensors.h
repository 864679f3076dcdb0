/* SPDX-License-Identifier: MIT */
/* The sensors: opened at the start, left where another program takes their place. */
#pragma once

#include "daemon/pipeline_state.h"

/* Chooses them, and gives away the privileges that they do not need. -ENODEV: none could be used. */
int pipeline_choose_sensors(struct pipeline *p, struct err *err);
/* Opens those that were chosen, which takes a second or more for BPF programs. -ENODEV: none could be opened. */
int pipeline_open_sensors(struct pipeline *p, struct err *err);
/* Of several sensors, those whose place was taken are closed. */
void pipeline_leave_taken_sensors(struct pipeline *p);
