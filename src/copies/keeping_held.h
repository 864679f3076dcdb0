/* SPDX-License-Identifier: MIT */
/* Files whose content is held until it changes (held.h): those that are too large to be copied before. */
#pragma once

#include <sys/stat.h>

#include "copies/keeping_state.h"

/* fd: O_PATH, of what was `st`. The record is added, whole. -EAGAIN: somebody has it open for writing; -EMFILE: no more can be held; -E2BIG: there would be no room for its copy, or
 * its file system has no leases; -ESTALE: it was changed meanwhile; else of the disk. */
int keeping_hold(struct copies_keeping *k, int fd, struct bytes path, struct copy_record *record, struct bytes xattrs, const struct stat *st);
/* What became of them since. -ENOSPC, -EDQUOT: of one there was no room on the disk for its copy. */
int keeping_take_ended(struct copies_keeping *k);
/* Those at and below the path have gone from there. */
void keeping_held_gone(struct copies_keeping *k, struct bytes path);
/* Another file has that path by now: the one that is held is copied. */
void keeping_held_look(struct copies_keeping *k, struct bytes path, const struct stat *st);
/* Its content is kept otherwise. */
void keeping_let_go(struct copies_keeping *k, struct bytes path);
