/* SPDX-License-Identifier: MIT */
/* Spans of observation. */
#pragma once

#include "event/coverage.h"
#include "event/event.h"
#include "store/question.h"
#include "util/err.h"

struct store;

/* Spans of observation that looked at what is asked for, or at parts of it: see struct coverage. In order of
 * their beginning. */
int store_each_coverage(struct store *store, const struct store_query *query,
                        int (*each)(void *data, const struct coverage *coverage), void *data,
                        struct err *err);

/* What is older than some time was removed, by its age or because the store became too big. */
struct store_removal {
    struct bytes watch; /* of these only; BYTES_NULL: of all */
    uint64_t before_ns; /* CLOCK_REALTIME */
};
/* What is missing of the time that is asked for: of all events first, then of watches that have to do with it. */
int store_each_removal(struct store *store, const struct store_query *query,
                       int (*each)(void *data, const struct store_removal *removal), void *data, struct err *err);

/* Spans that ended so, as gaps. */
int coverage_each_unclean(struct store *store, const struct store_query *query,
                          int (*each)(void *data, const struct gap *gap), void *data, struct err *err);
