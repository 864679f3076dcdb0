/* SPDX-License-Identifier: MIT */
/*
 * Blocks in SQL: the table-valued function packed(block) has a row for each of its events, with what questions ask
 * for: row, time_ns, operation, error, victim, victim_kind, suspect, directory, name, previous_directory,
 * previous_name, host_directory, host_name, watch. may_have(names, name) is block_may_have().
 */
#pragma once

#include "store/sqlite.h"

/* To be called once for each connection. path: for err's text. 0, or an error of SQLite's. */
int packed_register(sqlite3 *db, const char *path, struct err *err);
