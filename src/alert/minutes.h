/* SPDX-License-Identifier: MIT */
/* How many changes there were in each of the last minutes of the clock: {0} is empty. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"

#define MINUTES 10 /* that are looked at together */

struct minutes {
    uint64_t newest; /* since 1970 */
    uint32_t counts[2 * MINUTES];
};

/* Is it a change, or an attempt, an execution, a look? */
bool minutes_is_change(const struct event *e);
/* One minute on; several where all are empty. False: it is that minute, or a later one. */
bool minutes_step(struct minutes *m, uint64_t time_ns);
/* Counts one, after as many steps as there are. What is older than all of them is not counted. */
void minutes_add(struct minutes *m, uint64_t time_ns);
/* In the ten minutes that end with the newest one; in the ten before; in all twenty. */
uint64_t minutes_sum(const struct minutes *m);
uint64_t minutes_sum_all(const struct minutes *m);
uint64_t minutes_sum_before(const struct minutes *m);
