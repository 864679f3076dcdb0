/* SPDX-License-Identifier: MIT */
/* How old what is kept may be. Pure. */
#pragma once

#include <stdint.h>

/* What is older is too old. Whole hours, so that counted rows go as a whole; what is kept for less than a day goes in 24 parts. */
uint64_t pruner_floor_for_age(uint64_t age_ns, uint64_t now_ns);
