/* SPDX-License-Identifier: MIT */
/* A set of rows: one bit for each, in pieces that are made where they are needed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row_set {
    uint64_t **pieces;
    size_t count;
};

bool row_set_add(struct row_set *set, int64_t row); /* false: out of memory, or no row */
/* False also for what is no row. */
bool row_set_has(const struct row_set *set, int64_t row);
void row_set_done(struct row_set *set); /* it is empty after that */
