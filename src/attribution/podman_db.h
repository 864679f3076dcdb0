/* SPDX-License-Identifier: MIT */
/*
 * Podman's own records of a storage: labels, names, when a container was started. SQLite since
 * Podman 4.8, bbolt before. Read without a lock: Podman is never kept waiting.
 */
#pragma once

#include "event/container.h"
#include "util/err.h"

struct podman_db;

/* storage: ".../containers/storage". -ENOENT: it has no database. */
int podman_db_open(const char *storage, struct podman_db **ret, struct err *err);
void podman_db_close(struct podman_db *db); /* NULL is fine */

/* Adds name, labels and image to a record that is not shared yet; by its id. -ENOENT. */
int podman_db_read(struct podman_db *db, struct container *c);
/* When it was started last, CLOCK_REALTIME ns. -ENOENT: never, or not known. */
int podman_db_start(struct podman_db *db, struct bytes id, uint64_t *ret_ns);
