/* SPDX-License-Identifier: MIT */
/*
 * Names of deleted inodes, from the copies of directories' blocks that the journal still holds: since Linux 5.13 a removed entry is wiped
 * in the directory itself. What is found says that a file of that name with that inode was in that directory when the copy was made, and
 * no more.
 */
#pragma once

#include <ext2fs/ext2fs.h>

#include "clues/deleted_burst.h"
#include "util/arena.h"

enum deleted_names_state {
    DELETED_NAMES_READ,
    DELETED_NAMES_PART, /* the time was over, or there are too many directories */
    DELETED_NAMES_NONE, /* there is no journal, or it is on another device */
    DELETED_NAMES_BAD,  /* it is damaged */
};

struct deleted_names {
    enum deleted_names_state state;
    unsigned encrypted; /* directories (fscrypt): their names are not known */
};

/* Fills in directory, name, copy_ns and below_gone of those that are found; sorts `all` by number. until: CLOCK_MONOTONIC. Texts are in
 * the arena. -ENOMEM */
int deleted_names_find(ext2_filsys fs, const struct deleted_place *place, struct deleted_inode *all, size_t count, uint64_t until,
                       struct arena *arena, struct deleted_names *ret);
