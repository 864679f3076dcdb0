/* SPDX-License-Identifier: MIT */
/* Is an event what the query asks for? ausearch's criteria, then ours. */
#pragma once

#include "search/items.h"
#include "search/paths.h"

struct search_matcher {
    const struct search_query *query;
    struct search_users *users;
    struct search_items items;
    struct search_places *places;
    struct search_paths paths; /* of the last event, if the query asks for files */
    uint64_t unsure; /* events that matched by the last component of a name: their directory is not in the log */
};

/* query: borrowed until search_matcher_done(), which frees what was learned of users and places. -ENOMEM: nothing is to be freed. */
int search_matcher_init(struct search_matcher *m, const struct search_query *query);
void search_matcher_done(struct search_matcher *m);
/* Nothing is asked for but the time: any event matches that is of it. */
bool search_asks_for_all(const struct search_query *query);
bool search_matches(struct search_matcher *m, const struct search_event *event);
