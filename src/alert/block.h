/* SPDX-License-Identifier: MIT */
/* One `expect` block of the configuration. Pure, but for the local time zone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "event/event.h"

#define EXPECT_PATTERN_MAX 1024 /* bytes: matching costs the product of both lengths */

/* What an `expect` block compares with; the order is that of its keys (config/keys.h). */
enum expect_kind {
    EXPECT_PROGRAM,
    EXPECT_PACKAGE,
    EXPECT_UNIT,
    EXPECT_SCRIPT,
    EXPECT_LAUNCHER,
    EXPECT_USER,
    EXPECT_CONTAINER,
    EXPECT_IMAGE,
    EXPECT_HOURS,
    EXPECT_OPERATIONS,
    EXPECT_PATHS,
    EXPECT_KIND_COUNT,
};

struct expect_values {
    const struct bytes *items; /* each ends in a NUL beside its length */
    size_t count;              /* 0: anything */
};

/* All kinds that it names have to match, of each kind one value. */
struct expect_block {
    struct bytes name;
    struct expect_values values[EXPECT_KIND_COUNT];
};

/* Does the event match all that the block says? */
bool expect_block_matches(const struct expect_block *block, const struct event *e);
/* A pattern with a slash is of the whole path, another one of its last component. */
bool expect_is_named(struct bytes pattern, struct bytes path);
/* "02:00-04:30": minutes of the day; to < from: over midnight. -EINVAL. */
int expect_parse_hours(struct bytes text, unsigned *ret_from, unsigned *ret_to);
