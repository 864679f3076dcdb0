/* SPDX-License-Identifier: MIT */
#pragma once

#include "store/sqlite.h"

/* What a writer remembers of rows that nothing in the store may refer to, yet. */
struct rows_in_use {
    const int64_t *processes, *containers;
    size_t count; /* of each */
};

/* Are they all there? -EPROTO (MESSAGE_MALFORMED): not all; everything has to be sent again. */
int rows_are_there(sqlite3 *db, const char *path, const struct rows_in_use *in_use, struct err *err);
