/* SPDX-License-Identifier: MIT */
/* One block of a directory of ext2, ext3 or ext4, of which nothing is believed. Pure. */
#pragma once

#include <stdint.h>

#include "util/bytes.h"

struct ext4_entry {
    uint32_t inode;     /* never 0 */
    struct bytes name;  /* a view into the block; without '/' and NUL, of 1 to 255 bytes; never "." or ".." */
};

struct ext4_directory {
    struct bytes block;
    size_t at;
    uint32_t own, parent; /* what "." and ".." are; 0: it is not the first block */
};

/* Is it such a block, whole? The lengths of its entries end with it, and each has a name that may be one. inodes: how many the file
 * system has. The inner nodes of an indexed directory have no entries. */
bool ext4_directory_open(struct bytes block, uint32_t inodes, struct ext4_directory *ret);
/* The next entry that is in use. */
bool ext4_directory_next(struct ext4_directory *d, struct ext4_entry *ret);
