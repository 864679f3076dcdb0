/* SPDX-License-Identifier: MIT */
/* git's log of where HEAD was. Pure. */
#pragma once

#include "clues/fact.h"

/* tree: the work tree's directory; name: the log's path. */
void reflog_text(struct sbuf *answer, const struct clue_question *q, struct bytes tree, struct bytes name, struct bytes text);
