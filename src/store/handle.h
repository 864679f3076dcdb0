/* SPDX-License-Identifier: MIT */
/* A store that is open, for the files of this folder. */
#pragma once

#include <stdbool.h>

#include "store/schema.h"
#include "store/sqlite.h"
#include "util/log.h"

struct adding;
struct store_queue;

struct store {
    sqlite3 *db; /* for questions, read only; NULL where it only records */
    char *path;
    const struct log *log;
    struct schema_parts has;
    struct store_queue *queue; /* NULL: read only */
    struct adding *adding;
};
