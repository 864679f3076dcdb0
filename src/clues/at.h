/* SPDX-License-Identifier: MIT */
/* A job of at(1). Pure. */
#pragma once

#include "clues/fact.h"

/* name: its file's path, which has the time. */
void at_job(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
