/* SPDX-License-Identifier: MIT */
/* What an event of a block refers to by its row. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/delta.h"

/* BLOCK_SUSPECT_REST is no row: DELTA_SUSPECT is the number only. Blocks of before have none: 0. */
enum { BLOCK_PROCESS, BLOCK_VICTIM, BLOCK_DIRECTORIES, BLOCK_SUSPECT_REST = BLOCK_DIRECTORIES + PLACE_COUNT, BLOCK_ROWS };
struct block_rows {
    int64_t row[BLOCK_ROWS]; /* 0 = unknown */
};

/* Moves *rest behind an event's rows, and *rows to them; *ret_differ: a bit for each that the event has. False: damaged, and *rows are of
 * no event. */
bool block_rows_take(struct bytes *rest, struct block_rows *rows, unsigned *ret_differ);
