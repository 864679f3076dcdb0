/* SPDX-License-Identifier: MIT */
/*
 * Rows become blocks, once they are old: an event of its own takes some 250 bytes, in a compressed block a tenth. Each
 * keeps its row's number, so that what refers to it need not change. Events that a log may bring again stay rows: there
 * they are found by their ids.
 */
#pragma once

#include <stdint.h>

#include "store/sqlite.h"

struct compactor;

int compactor_new(sqlite3 *db, const char *path, struct compactor **ret, struct err *err);
void compactor_free(struct compactor *compactor); /* NULL is fine */
/*
 * Within a transaction: one block of events that are older than before_ns, or one block of a storm compressed. few_ns: what is
 * older than that becomes a block also where it is few. 1: something was done, or there is more to look at; 0: nothing is left.
 */
int compactor_step(struct compactor *compactor, uint64_t before_ns, uint64_t few_ns, struct err *err);
/* The transaction of the last step was rolled back. */
void compactor_roll_back(struct compactor *compactor);
