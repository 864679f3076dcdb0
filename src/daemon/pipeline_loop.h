/* SPDX-License-Identifier: MIT */
/* The loop: in which order the stages are read. */
#pragma once

#include "daemon/pipeline_state.h"

/* Reads all that is there: engines first, which say whose containers they are; then processes; then what they did. */
void pipeline_dispatch(struct pipeline *p);
