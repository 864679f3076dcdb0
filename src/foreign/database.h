/* SPDX-License-Identifier: MIT */
/*
 * A SQLite database that others wrote, from its bytes: for a worker without rights (foreign/sandbox.h). Nothing is opened beside it, its
 * views and triggers, which may be endless, are not run and call no functions, and each value has a limit.
 */
#pragma once

#include <sqlite3.h>

#include "util/bytes.h"

/*
 * file: is written to, and has to last as long as the database.
 * value_max: bytes of one value, of one text of SQL.
 * steps: of SQLite's virtual machine that a question may take, 5,000,000 are some 50 ms; then it is interrupted.
 * *ret is the caller's, for sqlite3_close(). -EBADMSG: it is no database.
 */
int foreign_database_open(struct bytes file, int value_max, int steps, sqlite3 **ret);
