/* SPDX-License-Identifier: MIT */
/* Looking at directories: listing a tree in pieces. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/tree/options.h"
#include "util/bytes.h"
#include "util/err.h"

/*
 * Begin with the object behind `fd` (O_PATH is enough; borrowed) as root. If it is a directory,
 * everything below will be listed by tree_walk(). What an earlier root left is forgotten.
 */
int tree_set_root(struct tree *t, int fd, struct err *err);
/* The same without listing: the tree begins with this one directory, and what is refreshed below it. */
int tree_start(struct tree *t, int fd, struct err *err);
/* From now on: directories only, or files too (a tree may be listed twice, the second time for its files). */
void tree_set_names_only(struct tree *t, bool names_only);
/* Put a directory that has appeared below the root on the list of what is to be walked. */
int tree_queue(struct tree *t, int fd, uint32_t directory, struct err *err);
/*
 * Look at some `steps` more names (0 = all): a directory that is listed counts as fifty, a very large one is listed in several
 * calls, and what was read of it at once (some 2,000 names) is looked at in one. Returns 1 if there is more to do, 0 when done; what vanishes or cannot be read meanwhile is passed over and counted. -ENOMEM, -EMFILE.
 * Calls `found` (may be NULL) for every name that the index did not know before.
 */
int tree_walk(struct tree *t, unsigned steps,
              void (*found)(void *data, uint32_t name), void *data, struct err *err);
/* List at once what tree_queue() put on the list last, and all below it; what was on it before waits on. */
int tree_walk_queued(struct tree *t, void (*found)(void *data, uint32_t name), void *data, struct err *err);
bool tree_is_walking(const struct tree *t);

/* Ends a walk at any point: closes what it holds open. Without a walk it does nothing. */
void tree_walk_done(struct tree *t);
