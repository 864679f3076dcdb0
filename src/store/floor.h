/* SPDX-License-Identifier: MIT */
/*
 * What was removed because of its age, or because the store became too big: table watch of store/schema.c has the time
 * before which nothing counts, of all events and of some watches'. What is older may be there for a while yet: it is
 * removed in small steps (store/prune.h), and no question finds it meanwhile.
 */
#pragma once

#include "store/handle.h"
#include "store/question.h"

/* The question as far as the record answers it: no older than that. */
int floor_apply(struct store *store, const struct store_query *query, struct store_query *ret, struct err *err);
/* " AND ..." on event e where watches have such times of their own; else "". */
const char *floor_condition(const struct store_query *query);
/* Of all events; 0: nothing was removed. */
int floor_of_all(struct store *store, uint64_t *ret_ns, struct err *err);
