/* SPDX-License-Identifier: MIT */
/* A record while it is read. */
#pragma once

#include "search/query.h"
#include "search/record.h"

/* A place in one record: everything is looked for from here on, as far as `end`. */
struct record_place {
    const char *at, *end, *start;
    int type;
};

struct record_reading {
    const struct search_query *q;
    struct search_users *users;
    struct search_items *items;
};
