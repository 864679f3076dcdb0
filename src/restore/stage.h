/* SPDX-License-Identifier: MIT */
/* One file that a source has for a path: what is there now, the item that it becomes, putting it there. */
#pragma once

#include <limits.h>

#include "compare/join.h"
#include "restore/item.h"
#include "restore/put.h"
#include "restore/restore.h"

struct stage {
    const struct restore_options *options;
    struct joiner *joiner;
    struct restore_items *items;
    const char *newer; /* "what is there is newer than the deleted one": why it is left without --force */
};

/* A path as it is found: links of what exists of it are followed, the last one if it leads to a directory; the rest is added. root: of a
 * container; AT_FDCWD: the host's. `ret` has room for PATH_MAX bytes. */
int stage_resolve(int root, struct bytes path, char *ret, struct err *err);

/* A running container's root as it is mounted on the host, by which copies of its files are kept: the same directory as what its processes have. *ret_root:
 * O_PATH, the caller's; *ret_base: of the view. */
int stage_find_base(const struct container_view *view, int *ret_root, struct bytes *ret_base, struct err *err);
#define STAGE_KEY_SIZE (2 * PATH_MAX)
/* By which its copies are kept: that path of stage_resolve() below the base (empty: the host's own). */
void stage_key(struct bytes base, const char *path, char ret[STAGE_KEY_SIZE]);

/* The folder of a host's path, O_PATH: no link is followed. -ENOENT, -ENOTDIR: there is none; -ELOOP */
int stage_open_folder(struct bytes path);

/* now: what is there; NULL: nothing. NULL, with *ret_r: out of memory, too many; or the store. */
struct restore_item *stage_add(const struct stage *s, struct bytes path, const struct stat *before, const struct stat *now, int *ret_r, struct err *err);

/* The same of what is there and has another mode, owner or extended attribute (xattr: its name); several of one path, one after the other, are one item. */
struct restore_item *stage_add_attribute(const struct stage *s, enum difference_kind kind, struct bytes path, struct bytes xattr, const struct stat *before,
                                         const struct stat *now, int *ret_r, struct err *err);

/* Has another source an item of that path already? */
bool stage_has(const struct stage *s, struct bytes path);

/* A file of ours in memory with that content, zeros as holes; the caller's. -errno */
int stage_content(struct bytes content);

/* Sets the outcome. folder: O_PATH, or why it could not be opened. */
void stage_put(const struct stage *s, int folder, const struct put_source *source, struct restore_item *item);
/* The same of the attributes of what is there. folder: O_PATH */
void stage_put_attributes(const struct stage *s, int folder, const struct put_source *source, struct restore_item *item);
