/* SPDX-License-Identifier: MIT */
/* A retention with what it refers to. */
#pragma once

#include "store/retention.h"
#include "util/arena.h"

struct kept_retention {
    struct store_retention retention;
    struct arena arena;
};

struct kept_retention *retention_copy(const struct store_retention *from); /* NULL: out of memory */
void retention_free(struct kept_retention *k); /* NULL is fine */
