/* SPDX-License-Identifier: MIT */
/* Differences found on the disk, joined with who was recorded making them. */
#pragma once

#include "event/difference.h"
#include "store/query.h"

struct joiner;

/* store: borrowed, asked nothing else in between; NULL: nothing was ever recorded. query: whose files;
 * path: what is compared. */
int joiner_new(struct store *store, const struct store_query *query, struct joiner **ret, struct err *err);
void joiner_free(struct joiner *j); /* NULL is fine */

/* Sets event, or why there is none. */
int joiner_join(struct joiner *j, struct difference *d, struct err *err);
/* When the first watch of these files began (CLOCK_REALTIME); 0: there was none. */
uint64_t joiner_watched_since(const struct joiner *j);
