/* SPDX-License-Identifier: MIT */
/* What comes again: a cause without its moments. Pure. */
#pragma once

#include "event/event.h"
#include "util/fingerprint.h"

/* What is the same whenever that cause comes again: what was run, as whom and where, of a mere command also what started it; without terminals,
 * and without words that may be others each time, such as those with a digit. {0}: it is not known, or doubted. The cause was found. */
struct fingerprint cause_find_habit(const struct event *event);
