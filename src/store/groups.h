/* SPDX-License-Identifier: MIT */
/* Events that count as one in an answer, from wherever they were counted. */
#pragma once

#include <stdint.h>

#include "util/hash_table.h"

struct group_key {
    int64_t suspect, suspect_rest, operation, error, victim, victim_kind;
};

/* Some of them, and when; first_event: the row of the first one. */
struct group_part {
    uint64_t count, first_ns, last_ns;
    int64_t first_event;
};

struct group {
    struct group_key key;
    struct group_part all;
    UT_hash_handle hh;
};

/* `key` is compared as bytes. -ENOMEM. */
int groups_add(struct group **groups, const struct group_key *key, const struct group_part *part);
/* Adds those of `more` to `groups`, and leaves nothing of them. -ENOMEM: some are missing. */
int groups_join(struct group **groups, struct group **more);
/* In order of their first event. */
void groups_sort(struct group **groups);
void groups_free(struct group **groups); /* it is empty after that */
