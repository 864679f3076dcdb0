/* SPDX-License-Identifier: MIT */
/* Rows become records. Processes and containers are shared between events of one question that are near each other. */
#pragma once

#include "event/event.h"
#include "store/block.h"
#include "store/handle.h"

struct loader;

/* store: borrowed until loader_free(). -ENOMEM, or an error of SQLite's with err's text. */
int loader_new(struct store *store, struct loader **ret, struct err *err);
void loader_free(struct loader *loader); /* NULL is fine */
/* -ENOENT: no such row. */
int loader_event(struct loader *loader, int64_t row, struct event **ret, struct err *err);
/* One of a block; no_cause: see store/question.h. */
int loader_packed(struct loader *loader, const struct block_event *packed, bool no_cause, struct event **ret, struct err *err);
/* A reference; NULL: no such row, or no memory. */
struct container *loader_container(struct loader *loader, int64_t row);
