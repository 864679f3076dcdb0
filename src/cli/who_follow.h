/* SPDX-License-Identifier: MIT */
/*
 * who --follow: what comes into the store after the answer, as tail -f has a file's end. Whoever records it, the daemon or a
 * culprit watch, is not asked for anything.
 */
#pragma once

#include "attribution/agents.h"
#include "cli/print.h"
#include "event/filter.h"
#include "store/query.h"
#include "watch/target.h"

struct who_follow;

/* What came while it was followed, and was shown. */
struct who_followed {
    uint64_t events, gaps; /* gaps in which changes may be missing */
};

/* What it is given is lent until who_follow_free(). -ENOMEM. */
int who_follow_new(struct store *store, const struct filter *filter, const struct agents *agents, struct printer *printer,
                   struct who_follow **ret);
void who_follow_free(struct who_follow *f); /* NULL is fine */
/* One target more; what is recorded of it by now will not be shown. Takes over the target, whose texts the query has. */
int who_follow_add(struct who_follow *f, struct target *target, const struct store_query *query, struct err *err);
/* Until a signal comes, or nobody reads the output. */
int who_follow_run(struct who_follow *f, struct who_followed *ret, struct err *err);
