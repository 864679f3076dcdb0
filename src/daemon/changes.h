/* SPDX-License-Identifier: MIT */
/*
 * One change of each kind, made in a scratch directory (daemon/scratch.h) whose entries somebody else may
 * exchange meanwhile. A file is opened with O_PATH and looked at; the change is then made to that
 * descriptor, so that no link is followed, and neither a device nor a fifo is ever opened.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "event/operation.h"

#define CHANGES 15
#define CHANGE_REPLACED ESTALE /* the outcome of a change whose file is not the one that was prepared */

struct change {
    enum operation operation; /* its name is that of the file */
    const char *suffix;       /* of the name that the event must have, where it is another one */
    uint64_t needs;           /* enum capability */
};

extern const struct change changes[CHANGES];

/* The files of the changes: O_PATH descriptors (-EBADF: none), and the identities of those prepared. */
struct change_files {
    int prepared[CHANGES], made[CHANGES];
    struct stat st[CHANGES];
};

void change_files_init(struct change_files *f); /* holds nothing */
void change_files_done(struct change_files *f); /* closes what it holds; may be filled again */

/* Makes the files that are to be changed, and holds them. -errno: what was made until then is held, and stays in the directory. */
int changes_prepare(int dir, struct change_files *f);

/* In a child: its working directory becomes `self_fds`, its own /proc/self/fd.
 * dir:        the scratch directory as one way leads to it
 * comparable: its files have the identities that were prepared by another way
 * ret_errors: for each 0, or why the system did not let it happen, or CHANGE_REPLACED: then no more were made */
int changes_make(int dir, int self_fds, const struct change_files *f, bool comparable, int *ret_errors);

/* Holds what the changes made. NULL, or the name of one that is not there any more. */
const char *changes_hold(int dir, const int *errors, struct change_files *f);

/* When all was removed: the name of one that still is linked somewhere, or NULL. */
const char *changes_left(const struct change_files *f);
