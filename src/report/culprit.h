/* SPDX-License-Identifier: MIT */
/* Whom events are counted for. */
#pragma once

#include "report/case_state.h"

/* Whose event it is; NULL: beyond the limits. */
struct culprit *case_culprit(struct case_ *c, const struct event *e);
void culprit_free(struct culprit *s);
/* What counts for each event, whatever becomes of it: runs, processes, tools, doubts. */
void culprit_add(struct case_ *c, struct culprit *s, const struct event *e);
/* A known container runtime, by its program and not by its name alone. */
bool culprit_is_runtime(const struct culprit *s);
