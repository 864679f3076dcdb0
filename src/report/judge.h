/* SPDX-License-Identifier: MIT */
/* Harm and noise are decided, and the culprits put into the order of interest. */
#pragma once

#include "report/case_state.h"

void case_judge(struct case_ *c);
unsigned tally_harm(const struct tally *t);
bool case_lives_in_victim(const struct culprit *s);
bool case_is_explained(const struct case_ *c, enum explanation kind);
uint64_t culprit_reported(const struct culprit *s);
uint64_t culprit_folded(const struct culprit *s);
