/* SPDX-License-Identifier: MIT */
/*
 * Contents that are not copied until somebody changes them: an open descriptor of each file, with a read lease (F_SETLEASE in fcntl(2)). Whoever opens it
 * for writing, or truncates it, waits until it was copied into a directory; readers pay nothing, and what was deleted or replaced goes on to be there
 * as long as the descriptor is. A thread that does nothing else answers for the leases. If the process ends, the kernel lets all writers go on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "copies/held_end.h"
#include "util/bytes.h"

struct held_all;

/* directory: lent; copies come into it as files that are named by their sums (large.h). Raises the limit of descriptors as far as it may. -errno */
int held_begin(int directory, struct held_all **ret);
/* Waits, some seconds at most, until what has gone from its path is copied. NULL is fine. */
void held_finish(struct held_all *h);
/* All are let go, without a copy. NULL is fine. */
void held_stop(struct held_all *h);

/* How many bytes may be copied: from now on. */
void held_room(struct held_all *h, uint64_t bytes);
/*
 * Holds what path_fd (O_PATH, a regular file that was `st`) refers to, and reads it once for its sum. Where it may, it does so by a mount of its own, so that the
 * file's can be unmounted. -EAGAIN: somebody has it open for writing; -EMFILE: no more descriptors; -ESTALE: it was changed meanwhile; others: this file
 * system has no leases.
 */
int held_hold(struct held_all *h, int path_fd, struct bytes path, const struct stat *st, unsigned char ret_sha256[32]);
/* The one that is held of this path, and is `st` still; false: there is none, or another file or content is there: that one is taken out. */
bool held_is(struct held_all *h, struct bytes path, const struct stat *st, unsigned char ret_sha256[32]);
/* Those at and below the path have gone from there: they are copied. */
void held_gone(struct held_all *h, struct bytes path);
/* Its content is kept already. */
void held_let_go(struct held_all *h, struct bytes path);

/* Readable when there is something for held_next(). */
int held_fd(const struct held_all *h);
/* The caller frees. NULL: no more. */
struct held_end *held_next(struct held_all *h);
uint64_t held_count(const struct held_all *h);
