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
void retained_make_room(struct store_queue *q);
