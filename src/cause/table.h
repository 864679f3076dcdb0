/* SPDX-License-Identifier: MIT */
/* Tables whose rows begin with a name, in the order of strcmp(): a row is found by halving. */
#pragma once

#include <stddef.h>

#include "util/bytes.h"
#include "util/macro.h"

struct name_table {
    const void *rows; /* each begins with a pointer to its name */
    size_t count, size; /* of the rows; bytes of one */
};

#define TABLE(rows) { (rows), ARRAY_SIZE(rows), sizeof((rows)[0]) }

/* The name of the row at that index; NULL behind the last. */
const char *table_name(const struct name_table *t, size_t index);
/* The row of that name; NULL: none. TABLE_FIND: of an array of rows. */
const void *table_find(const struct name_table *t, struct bytes name);
#define TABLE_FIND(rows, name) table_find(&(const struct name_table)TABLE(rows), name)
