/* SPDX-License-Identifier: MIT */
/*
 * All events of a time in its order, as long as nothing is asked for by its place: blocks are taken apart once, one after the other, and
 * no more of them are kept than overlap. Rows come between them.
 */
#pragma once

#include "event/event.h"
#include "store/handle.h"
#include "store/question.h"

/* Neither a path nor a container is asked for, and the store has blocks. */
bool stream_can(const struct store *store, const struct store_query *query);
/* As store_each_event(); query: as floor_apply() left it. */
int stream_each(struct store *store, const struct store_query *query, int (*each)(void *data, struct event *event), void *data,
                struct err *err);
