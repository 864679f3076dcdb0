/* SPDX-License-Identifier: MIT */
/*
 * -f DIRECTORY needs to know directories by identity before the search: what is done below one by
 * descriptor (rm -rf) names neither the directory nor, in its PARENT record, the right one. So the
 * log is read for the directory's device and inode first, and for those below it, until nothing
 * new is found. For a file this ends at the first record that says it is one.
 */
#pragma once

#include "search/engine.h"

/* Fills in query->hints, and teaches run->matcher. Does nothing where it cannot help (patterns,
 * names without a slash, pipes, --strict-ausearch). 0, -ENOMEM ... */
int search_learn(const struct search_run *run, struct search_query *query, struct err *err);
