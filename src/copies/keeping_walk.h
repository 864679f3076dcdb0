/* SPDX-License-Identifier: MIT */
/* Walking through the watched folders, and keeping one file after the other; what is done where that fails. */
#pragma once

#include "copies/keeping_state.h"

/* One more folder to be walked through; the path is copied. Out of memory: this walk leaves it out. */
void keeping_push(struct copies_keeping *k, struct bytes path);
/* A walk through all roots that are to be kept begins: what it does not find any more is known to be gone at its end. */
void keeping_walk_all(struct copies_keeping *k);
/* Folders that were not walked through yet are left out. */
void keeping_stop_walking(struct copies_keeping *k);
/* One folder more. */
void keeping_walk_one(struct copies_keeping *k);

/* below_too: all that came with it. */
void keeping_keep_path(struct copies_keeping *k, struct bytes path, bool below_too);
/* Adds a record to the pack, which copies all of it; content NULL: none is kept. While the disk fails nothing is added, and a failure is
 * keeping_on_error(). */
void keeping_add(struct copies_keeping *k, struct copy_record *record, struct bytes path, struct bytes link, struct bytes xattrs,
                 const struct bytes *content);

/* Whether somebody has it open for writing, so that it cannot be held. c NULL: it is not known. */
void keeping_note_busy(struct copies_keeping *k, struct changed_file *c, bool busy);
/* What is there now is kept anew, in a new generation. -errno: of the disk */
int keeping_turn(struct copies_keeping *k);
/* Nothing is kept for a while. */
void keeping_on_error(struct copies_keeping *k, int r);
/* How it is now, for the record. */
void keeping_note_state(struct copies_keeping *k);
