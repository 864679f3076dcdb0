/* SPDX-License-Identifier: MIT */
/* Owner, mode, extended attributes (ACL and capabilities are such), flags and times of one file given to another. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "util/bytes.h"
#include "util/err.h"

/* What was given, for people. */
enum given {
    GIVEN_MODE = 1 << 0,
    GIVEN_OWNER = 1 << 1,
    GIVEN_ACL = 1 << 2,
    GIVEN_CAPABILITIES = 1 << 3,
    GIVEN_XATTR = 1 << 4, /* others than those */
    GIVEN_FLAGS = 1 << 5,
    GIVEN_TIMES = 1 << 6,
};

/*
 * from, to: any descriptors, O_PATH too, of what has the same type. st: of `from`. Owner, mode and extended attributes,
 * also that which `from` does not have goes; not overlay's own attributes and SELinux's label. given gets bits of enum given.
 */
int attributes_give(int from, const struct stat *st, int to, unsigned *given, struct err *err);
/* Of these only owner and mode: no more is known, and what the directory gave it stays. */
int attributes_give_owner(const struct stat *st, int to, unsigned *given, struct err *err);
/* Extended attributes that were written down: "NAME\0", 4 bytes of length (native endian), value. -EBADMSG: they were not so. */
int attributes_give_saved(struct bytes saved, int to, unsigned *given, struct err *err);
/* The same of what is there: that which was not written down goes too, but what may not have fitted. */
int attributes_match_saved(struct bytes saved, int to, unsigned *given, struct err *err);
/* Does `fd` have other ones of its own than were written down? name: of the first that differs; empty: none does. -ENOMEM, -EBADMSG */
#define ATTRIBUTES_NAME_SIZE 256
int attributes_differ(struct bytes saved, int fd, char name[ATTRIBUTES_NAME_SIZE]);
/* The last ones, since what comes before changes them. */
int attributes_give_times(const struct stat *st, int to, struct err *err);
/* Which files a guard holds now, whose immutable flag is not theirs. Asked of a file that was found to bear one. */
struct held_files {
    bool (*holds)(void *data, const struct stat *st);
    void *data;
};

/*
 * Flags of chattr that a user sets (append, immutable, no dump ...) of a file or directory; `immutable`: that and append too.
 * Those that the file system does not have are left out, and a guard's (held; NULL: there are none).
 */
int attributes_give_flags(int from, const struct stat *st, int to, bool immutable, const struct held_files *held, unsigned *given,
                          struct err *err);
/* The same by what a kept copy says of them (copy_record's file_flags), but the immutable one; last: append too. */
int attributes_give_saved_flags(uint32_t saved, int to, bool last, unsigned *given, struct err *err);
