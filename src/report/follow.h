/* SPDX-License-Identifier: MIT */
/* Files followed by name: what an event counts as. */
#pragma once

#include "report/case_state.h"

/* Counts the event: as reported, as folded, or waiting for what becomes of its file. Not counted: it only shows what
 * became of a file. */
void follow_event(struct case_ *c, struct culprit *s, const struct event *e, bool counted);
