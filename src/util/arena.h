/* SPDX-License-Identifier: MIT */
/*
 * Memory with one owner and one lifetime: everything that an event or a process record points to
 * is freed with it. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/bytes.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t first_size; /* of the first block, bytes; 0 = what an ordinary event needs */
    bool failed;       /* there was no memory: something that was to be in it is missing */
};

/* Memory of several owners: it goes with the last of them. */
struct shared_arena {
    unsigned refs;
    struct arena arena;
};

struct shared_arena *shared_arena_new(void); /* one reference; NULL: out of memory */
struct shared_arena *shared_arena_ref(struct shared_arena *s); /* NULL is fine */
void shared_arena_unref(struct shared_arena *s);               /* NULL is fine */

void arena_done(struct arena *a); /* frees all that was allocated from it; it may be used again */
/* 8-byte aligned, not cleared; NULL when out of memory. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy that lives as long as the arena; NUL-terminated beside its length. BYTES_NULL stays
 * BYTES_NULL; when out of memory the result is BYTES_NULL too. */
struct bytes arena_copy(struct arena *a, struct bytes b);
/* dir + "/" + rest, one slash between, none doubled. */
struct bytes arena_join_path(struct arena *a, struct bytes dir, struct bytes rest);
