/* SPDX-License-Identifier: MIT */
/* Looking at directories: listing a tree in pieces, looking again at one name, opening by path. */
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
 * List at most `directories` more directories (0 = all). Returns 1 if there is more to do, 0 when
 * done; what vanishes or cannot be read meanwhile is passed over and counted. -ENOMEM, -EMFILE.
 * Calls `found` (may be NULL) for every name that the index did not know before.
 */
int tree_walk(struct tree *t, unsigned directories,
              void (*found)(void *data, uint32_t name), void *data, struct err *err);
/* List at once what tree_queue() put on the list last, and all below it; what was on it before waits on. */
int tree_walk_queued(struct tree *t, void (*found)(void *data, uint32_t name), void *data, struct err *err);
bool tree_is_walking(const struct tree *t);
/* Directories that could not be opened or listed so far. */
/* May that name be looked at? Not where a file system is mounted that does not answer (foreign/mounts.h): it is left
 * out of the index, whoever meets it, and counted. */
bool tree_answers(struct tree *t, int fd, const char *name);
/* How many were left out for that since the last call; NULL: none. */
uint64_t tree_take_unanswered(struct tree *t);

/* Look at `name` in the directory behind `fd` (which is `directory`) and note what is there. */
int tree_refresh(struct tree *t, int fd, uint32_t directory, struct bytes name,
                 struct tree_change *ret, struct err *err);
/* The same for an object itself, through a descriptor of it (a directory: the root, for one). */
int tree_refresh_object(struct tree *t, int fd, uint32_t object, struct tree_change *ret,
                        struct err *err);

/*
 * Open a directory of the tree by its path from `root_fd`, however long that is, following no links;
 * its identity is checked. The caller closes. -ESTALE: something else is there now.
 */
int tree_open_directory(const struct tree *t, int root_fd, uint32_t directory, struct err *err);

void tree_walk_done(struct tree *t);
