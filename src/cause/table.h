/* SPDX-License-Identifier: MIT */
/* Tables whose rows begin with a name, in the order of strcmp(): a row is found by halving. */
#pragma once

#include <stddef.h>

#include "util/bytes.h"
#include "util/macro.h"

/* The row of that name; NULL: none. */
const void *table_find(const void *rows, size_t count, size_t size, struct bytes name);
#define TABLE_FIND(rows, name) table_find(rows, ARRAY_SIZE(rows), sizeof((rows)[0]), name)
