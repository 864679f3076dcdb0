/* SPDX-License-Identifier: MIT */
/*
 * The searchable fields of an event, taken from its records by ausearch's rules: which record gives
 * which field, which one wins where several do, and which malformed record makes an event
 * unsearchable. Those rules are its interface: the same event must be found by the same question.
 */
#pragma once

#include "search/query.h"
#include "search/record.h"

struct search_users; /* items_values.h */

/* Only what the query asks for is read. `items` is used again from call to call. False: a record
 * is malformed in a way that makes ausearch pass over the event. */
bool search_items_read(const struct search_event *event, const struct search_query *query,
                       struct search_users *users, struct search_items *items);
void search_items_done(struct search_items *items);

