/* SPDX-License-Identifier: MIT */
/* After the kernel's queue was full. */
#pragma once

#include "sensor/fanotify/state.h"

/* Events were lost: compare everything with the index, and emit what changed as changed by nobody known. */
void fanotify_rescan(struct sensor *s);
