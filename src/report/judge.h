/* SPDX-License-Identifier: MIT */
/* Harm and noise are decided, and the culprits put into the order of interest. */
#pragma once

#include "report/case_state.h"

/* Sets harm, noise and place of each culprit and their order: before anything is written of them. Nothing to do if nothing came since. */
void case_judge(struct case_ *c);
/* How bad: 3 something is gone, moved away or truncated; 2 renamed, or other permissions; 1 changed otherwise; 0 made or looked at, refused, its
 * own file, or without effect. */
unsigned tally_harm(const struct tally *t);
/* The actor lives in a container whose files he changed. */
bool case_lives_in_victim(const struct culprit *s);
/* The case has an explanation of this kind. */
bool case_is_explained(const struct case_ *c, enum explanation kind);
/* Events of his that are reported, and that are folded: together all of his. */
uint64_t culprit_reported(const struct culprit *s);
uint64_t culprit_folded(const struct culprit *s);
