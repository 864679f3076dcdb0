/* SPDX-License-Identifier: MIT */
/* The running processes that a sensor cannot see, by name: the culprit may be one of them. */
#pragma once

#include "attribution/attribution.h"
#include "util/sbuf.h"

/* Appends "s1-agent (pid 2211, SentinelOne) and 112 others": processes that started before
 * before_ns (CLOCK_BOOTTIME), known products first, without kernel threads and ourselves. Returns how
 * many there are; 0 appends nothing. */
unsigned blind_names(struct attribution *attribution, uint64_t before_ns, struct sbuf *out);
