/* SPDX-License-Identifier: MIT */
/* The writer's side: messages become rows. One thread owns it. */
#pragma once

#include <stdint.h>

#include "store/sqlite.h"

struct writer;

int writer_new(sqlite3 *db, const char *path, struct writer **ret, struct err *err);
void writer_free(struct writer *writer); /* NULL is fine; the database stays open */

/*
 * One transaction for all messages. On failure nothing of it is written, *ret_events says how many
 * events that were, and everything that was known by slot is forgotten. `messages` may be empty: then
 * only the coverage that is going on is marked as alive.
 */
int writer_write(struct writer *writer, struct bytes messages, uint64_t now_ns,
                 uint64_t *ret_events, struct err *err);

/* The events among the messages. */
uint64_t writer_count(struct bytes messages);
