/* SPDX-License-Identifier: MIT */
/* Looking at one name of a directory, or at one object, and noting in the index what is there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/tree/options.h"
#include "util/bytes.h"
#include "util/err.h"

struct foreign_mounts;
struct sbuf;
struct tree_seen;

/* May that name be looked at? Not where a file system is mounted that does not answer (foreign/mounts.h): it is left
 * out of the index, whoever meets it, and counted. */
bool tree_answers(struct tree *t, int fd, const char *name);
/* How many were left out for that since the last call; NULL: none. */
uint64_t tree_take_unanswered(struct tree *t);
/* tree_stat() of what answers. -ETIMEDOUT: not looked at, its file system does not; else what that says. */
int tree_stat_at(struct tree *t, int fd, const char *name, struct file_state *ret);

/* Look at `name` in the directory behind `fd` (which is `directory`) and note what is there. */
int tree_refresh(struct tree *t, int fd, uint32_t directory, struct bytes name,
                 struct tree_change *ret, struct err *err);
/* The same for an object itself, through a descriptor of it (a directory: the root, for one). */
int tree_refresh_object(struct tree *t, int fd, uint32_t object, struct tree_change *ret,
                        struct err *err);

/* ---- for walk.c ---- */

/* What is at `name` in the directory behind fd; NULL: fd's own object. Nothing is noted. ret->xattrs lies in `xattrs` (of the
 * caller, written anew). -ETIMEDOUT: not looked at, its file system does not answer; -ENOENT, -ENOMEM and what statx() says. */
int tree_look(struct tree *t, int fd, const char *name, struct sbuf *xattrs, struct tree_seen *ret);

/* The mounts where the tree is, found out with the first call; the tree's. NULL: out of memory, which its functions take. */
struct foreign_mounts *tree_mounts(struct tree *t);
