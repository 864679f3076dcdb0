/* SPDX-License-Identifier: MIT */
/* Whether what was run had ended by then. Pure. */
#pragma once

#include "event/cause.h"
#include "event/event.h"

/* That what was run had ended before the event. Changes from one event to the next. */
bool cause_has_exited(const struct cause *cause, const struct event *event);
