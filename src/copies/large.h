/* SPDX-License-Identifier: MIT */
/*
 * Contents that are too large for the pack: a file each, named by its sum, in "large" beside the pack, of both generations. Where the file system can, they
 * share their blocks with the file that was copied. They have a share of the limit; once that is full, the content gives way that no file
 * has had for the longest time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "util/hash_table.h"

struct large_content {
    unsigned char sha256[32];
    uint64_t size, kept_ns; /* CLOCK_REALTIME: since then, or when a file had it last */
    unsigned users; /* files that have it, as the index knows */
    UT_hash_handle hh; /* those without users in the order of their time */
};

struct large {
    int directory; /* "large" */
    uint64_t share, used; /* bytes */
    struct large_content *all;
};

/* pack: the directory that has the pack. share: bytes. What another process did not end is removed. -errno */
int large_open(struct large *l, int pack, uint64_t share);
void large_close(struct large *l);
/* What was kept before then, and no file has any more. */
void large_forget_old(struct large *l, uint64_t before_ns);
/* Where the share became smaller: what no file has gives way until they fit. */
void large_fit(struct large *l);

/*
 * The content of fd, from its beginning, which was `st`. room: bytes that are left for all; copy_max: bytes that are copied where blocks cannot be shared. *ret is of `l`, and has one user more.
 * -EFBIG: no room in the share, or too large to be copied; -ESTALE: it was changed meanwhile; -errno: of the disk.
 */
int large_keep(struct large *l, int fd, const struct stat *st, uint64_t room, uint64_t copy_max, struct large_content **ret);
/* One that was copied into `directory` as `name` gets the name of its sum; -errno. */
int large_name_it(int directory, const char *name, const unsigned char sha256[32]);
/* Is there a file of that name? */
bool large_is_there(int directory, const unsigned char sha256[32]);
/* That one is there, without a user: what gives way for it does so now. NULL: it did not fit, or no memory. */
struct large_content *large_adopt(struct large *l, const unsigned char sha256[32], uint64_t size, uint64_t room);
/* How much of `room`, which is left for all, one more may have, as far as others can give way. */
uint64_t large_room(const struct large *l, uint64_t room);
/* One user less: without any, it gives way in its turn. */
void large_release(struct large *l, struct large_content *c);
/* One that is known by the index: NULL: it has gone. */
struct large_content *large_find(const struct large *l, const unsigned char sha256[32]);

/* For whoever reads: its descriptor, after its sum was compared. -EBADMSG, -ENODATA */
int large_open_content(const char *directory, const unsigned char sha256[32], uint64_t size);
/* The sum of what fd has, from its beginning; *ret_size: how much that is. -errno */
int large_sum(int fd, unsigned char ret[32], uint64_t *ret_size);
