/* SPDX-License-Identifier: MIT */
/* Known products that deleted what is not back: where they say to have kept it. */
#pragma once

#include "engine/view.h"
#include "restore/item.h"
#include "store/query.h"

struct agents;

/* The directory, absolute, into `ret` of PATH_MAX bytes, in which the product that did it keeps what it removed as it was: by its command line as it was recorded. False:
 * it is no such product, or the directory is not known. */
bool restore_product_keeps(const struct agents *agents, const struct event *e, char *ret);

/*
 * One line for each product that is recorded deleting or moving something away at or below query->path that is not there now, and of which it is known how
 * it gives that back (data/agents.json). view: NULL: of the host. store: NULL: nothing is known. What a dry run would put back counts as there.
 */
void restore_say_products(struct store *store, const struct store_query *query, const struct container_view *view, const struct restore_items *items);
