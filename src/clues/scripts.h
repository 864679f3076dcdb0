/* SPDX-License-Identifier: MIT */
/* What a script does to the path. Pure. */
#pragma once

#include "clues/fact.h"

/* The line that names the path and removes or changes something; else the first one that names it, with what is done to a variable
 * behind it. of: what is known of whoever runs it, the rest is filled in. */
void scripts_text(struct sbuf *answer, const struct clue_question *q, const struct clue_fact *of, struct bytes name, struct bytes text);
