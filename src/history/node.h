/* SPDX-License-Identifier: MIT */
/*
 * The machines whose records a log holds, by the records' "node=". A pid, an inode and a serial number mean nothing
 * outside their own machine: each has processes and directories of its own. One thread; bounded.
 */
#pragma once

#include "history/lineage.h"
#include "history/numbers.h"
#include "search/paths.h"
#include "util/bytes.h"
#include "util/hash_table.h"

struct node {
    UT_hash_handle hh;
    struct lineage *lineage;
    struct search_places *places;
    struct numbers numbers;
    size_t name_len;
    char name[];
};

struct nodes {
    struct node *table;
    struct node *last; /* of the record before: neighbours are nearly always of one machine */
};

/* Frees every machine and what it holds. */
void nodes_done(struct nodes *nodes);

/*
 * The machine of this name ("" for records without "node="), made if it was never seen. Valid until the next call: beyond
 * LIMIT_HISTORY_NODES the oldest gives way, and what was known of it is not known any more. NULL: out of memory.
 */
struct node *nodes_find(struct nodes *nodes, struct bytes name);
