/* SPDX-License-Identifier: MIT */
/* The keeper's own process: files that are held until they are copied. */
#pragma once

#include "copies/keeping_state.h"

/* Nobody holds yet, or no more: somebody does from now on, where that is possible. */
void keeping_begin_to_hold(struct copies_keeping *k);
/* What that one says, and its end. */
void keeping_look_at_holds(struct copies_keeping *k);
/* Until what is to be copied is; for a minute. */
void keeping_await_holds(struct copies_keeping *k);

/* One that cannot share its blocks, open for reading. 1: its content is held, and its record says all else; 0: it is to be copied now; -errno: of the
 * record. */
int keeping_hold(struct copies_keeping *k, int file, struct bytes path, const struct copy_record *record, struct bytes xattrs, const struct stat *st);
/* 1: its content is held already: there is nothing more to be done; 0: it is not; -errno: of its record. */
int keeping_is_held(struct copies_keeping *k, struct bytes path, const struct copy_record *record, struct bytes xattrs, const struct stat *st);
