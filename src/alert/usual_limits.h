/* SPDX-License-Identifier: MIT */
/* How much of what is usual is kept, and for how long it counts. */
#pragma once

#include "util/macro.h"

#define USUAL_WATCHES_MAX 256
#define USUAL_CAUSES_MAX 16384 /* of all watches: 2 MB */
#define USUAL_DAY_NS (24ull * 3600 * NS_PER_S)
#define USUAL_CAUSE_NS (30 * USUAL_DAY_NS) /* a cause that was not seen for so long is new again */
#define USUAL_DAYS 14                      /* so long a watch's busiest ten minutes count */
#define USUAL_LEARNING_NS (7 * USUAL_DAY_NS)
#define USUAL_WATCH_MAX 4096               /* bytes of a watch's text */
