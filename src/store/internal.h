/* SPDX-License-Identifier: MIT */
/* What store.c and the questions share. */
#pragma once

#include "store/query.h"
#include "store/sqlite.h"

struct store_queue;

struct store {
    sqlite3 *db; /* for questions, read only */
    char *path;
    const struct log *log;
    bool patient;
    bool has_blocks; /* a store that an older culprit wrote has none */
    struct store_queue *queue; /* NULL: read only */
};
