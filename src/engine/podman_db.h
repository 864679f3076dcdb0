/* SPDX-License-Identifier: MIT */
/*
 * Podman's own records of a storage: labels, names, when a container was started. SQLite since
 * Podman 4.8, bbolt before. Pure: the database's bytes in; for a worker (foreign/foreign.h), as they may be
 * made to take for ever.
 */
#pragma once

#include "event/container.h"
#include "util/err.h"

struct podman_db;

/* Of one of the two; borrowed until podman_db_close(), and written to. -ENOENT: neither. */
int podman_db_open(struct bytes sqlite, struct bytes bolt, struct podman_db **ret);
void podman_db_close(struct podman_db *db); /* NULL is fine */

/* Adds name, labels and image to a record that is not shared yet; by its id. -ENOENT. */
int podman_db_read(struct podman_db *db, struct container *c);
/* When it was started last, CLOCK_REALTIME ns. -ENOENT: never, or not known. */
int podman_db_start(struct podman_db *db, struct bytes id, uint64_t *ret_ns);
