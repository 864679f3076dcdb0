/* SPDX-License-Identifier: MIT */
/*
 * The events of a block by columns (store/block.h): the lengths of all columns as varints, then the columns. Those of the event come
 * first (store/delta.h), then which of block_rows differ, one for each of those, as the difference to the event before, its sign in
 * the lowest bit, and the distance of its row from the one before it; then those of states' members. Of the row of a previous path's
 * directory: a byte, 0 none, 1 the path's own, 2 the difference follows.
 */
#pragma once

#include "store/block_rows.h"
#include "store/delta.h"

enum { COLUMN_DIFFER = DELTA_COLUMNS, COLUMN_ROWS, COLUMN_HOLE = COLUMN_ROWS + BLOCK_ROWS, COLUMN_MEMBERS,
       BLOCK_COLUMNS = COLUMN_MEMBERS + DELTA_MEMBER_COLUMNS };

struct block_columns {
    struct bytes at[BLOCK_COLUMNS]; /* what is left of each */
    bool members; /* false: columns of before, without those of members */
};

/* Events as block_add() writes them. members: false for tests, as delta_split(). -EBADMSG, -ENOMEM. */
int columns_split(struct bytes data, bool sparse, bool members, struct sbuf *out);
/* The columns stay where they are. -EBADMSG. */
int columns_open(struct bytes plain, bool members, struct block_columns *ret);
/* Of the next event the distance and the rows: *rows are moved to it. False: damaged. */
bool columns_next(struct block_columns *columns, bool sparse, uint64_t *ret_hole, struct block_rows *rows);
/* Then its values, as delta_join(). */
static inline int columns_join(struct block_columns *c, struct delta_values *values, bool steps)
{
    return delta_join(c->at, c->members ? c->at + COLUMN_MEMBERS : NULL, values, steps);
}
bool columns_are_at_end(const struct block_columns *columns);
