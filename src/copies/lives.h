/* SPDX-License-Identifier: MIT */
/* What became of each path, as its kept copies have it. */
#pragma once

#include "copies/pack.h"
#include "util/hash_table.h"

struct kept_path {
    const struct copy *newest; /* of its last life until the time that was asked for; NULL: it had none */
    uint64_t first_ns;         /* of that life */
    uint64_t gone_ns;          /* 0: it had not gone by then */
    bool at_begin;
    uint64_t mark_ns;          /* the caller's; 0 at first */
    UT_hash_handle hh;
    size_t len;
    char path[];
};

/* How it was at that time (CLOCK_REALTIME; 0: as the last copies have it). The table is the caller's, for kept_paths_free(); it refers to `c`, whose copies
 * are brought into the order of their times. -ENOMEM */
int copies_replay(struct copies *c, uint64_t at_ns, struct kept_path **ret);
/* The oldest copy of each path. The same. */
int copies_oldest(struct copies *c, struct kept_path **ret);

/* How it was at that time (CLOCK_REALTIME) of its last life, or at the beginning of that, where it began later. NULL: there is no copy. For the table of
 * copies_replay(). */
const struct copy *kept_path_at(const struct kept_path *p, uint64_t at_ns);
struct kept_path *kept_path_find(struct kept_path *paths, struct bytes path); /* NULL */
void kept_paths_sort(struct kept_path **paths);                               /* by path */
/* All of the table; NULL is fine. */
void kept_paths_free(struct kept_path *paths);
