/* SPDX-License-Identifier: MIT */
/*
 * Rows become blocks, once they are old: an event of its own takes some 250 bytes, in a compressed block a tenth. Each
 * keeps its row's number, so that what refers to it need not change. Events that a log may bring again stay rows: there
 * they are found by their ids. What was counted of them becomes days (store/daily.h).
 */
#pragma once

#include <stdint.h>

#include "store/sqlite.h"

struct compactor;

/* db, path: borrowed until compactor_free(). -ENOMEM, or an error of SQLite's with err's text. */
int compactor_new(sqlite3 *db, const char *path, struct compactor **ret, struct err *err);
void compactor_free(struct compactor *compactor); /* NULL is fine */
/* What is damaged and stays as it is, while the rest goes on; "": nothing. Valid until the next step. */
const char *compactor_fault(const struct compactor *compactor);
/*
 * Within a transaction: one block of events that are older than before_ns, or one block of a storm compressed, or some processes packed, or
 * some counted rows of hours that were over by then made days. few_ns: what is
 * older than that becomes a block also where it is few. 1: something was done, or there is more to look at; 0: nothing is left.
 */
int compactor_step(struct compactor *compactor, uint64_t before_ns, uint64_t few_ns, struct err *err);
/* A step as a transaction: what is older than age_ns, and where it is few, a day older. now_ns: CLOCK_REALTIME */
int compactor_run(struct compactor *compactor, uint64_t now_ns, uint64_t age_ns, struct err *err);
