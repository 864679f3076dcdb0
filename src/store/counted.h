/* SPDX-License-Identifier: MIT */
/* What was counted, as an answer: young hours from rollup, days from daily, and what lies in the time asked for with a part only is read. */
#pragma once

#include "store/groups.h"
#include "store/select.h"

/* After select_begin(). Adds to *groups, which is the caller's also after an error. With the question's limit: see store_each_rollup(). */
int counted_collect(struct store *store, const struct store_query *query, struct group **groups, struct err *err);
