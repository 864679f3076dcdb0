/* SPDX-License-Identifier: MIT */
/* The text of one unit. Pure. */
#pragma once

#include "clues/fact.h"

/* Each command that names the path; of units that the administrator made every command, so that its scripts are looked at. */
void units_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
