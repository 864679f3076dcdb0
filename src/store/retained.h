/* SPDX-License-Identifier: MIT */
/* What the writer's thread does of its own: it removes what is too old or too much, and makes room where the disk is full. */
#pragma once

#include "store/queue.h"
#include "util/err.h"

/* next: from now on, NULL: as before. r: of what was done before; only where it is 0 something is opened. Returned is it, or -errno. */
int retained_take(struct store_queue *q, struct kept_retention *next, int r, struct err *err);
/* now: CLOCK_MONOTONIC. */
void retained_step(struct store_queue *q, uint64_t now);
/* Where the disk is full the oldest is to go. */
bool retained_gives_up_oldest(const struct store_queue *q);
/* Before a transaction: it fails with -ENOSPC where SQLite's log would need more room in the file than there is sure to be. */
void retained_limit_growth(struct store_queue *q);
/*
 * After that: SQLite's log goes into the file, then the oldest is removed until room can be kept again for the next time; is_enough: unless it
 * can be already. -EBUSY: somebody reads in the log, nothing can be gained as long; -ENOSPC: there is less room than was kept.
 */
int retained_make_room(struct store_queue *q, bool is_enough);
