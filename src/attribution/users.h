/* SPDX-License-Identifier: MIT */
/*
 * Names of users and groups, in the world that asks: the host's, or a container's own /etc/passwd, through
 * the map of its user namespace (101000 on the host may be 1000, and `im`, in it).
 */
#pragma once

#include <stdint.h>

#include "engine/engine.h"
#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"

struct users;

/* engines: borrowed; NULL: containers that are down have no names. root: "/", or a directory of the same shape in tests. */
int users_new(struct engines *engines, const char *root, struct users **ret, struct err *err);
void users_free(struct users *u); /* NULL is fine */

/* container NULL: the host's. ids: as the host counts. Valid until the next call; BYTES_NULL: no name. A
 * container that is gone is answered from what was read while it was there. */
struct bytes users_name(struct users *u, const struct container *c, uint32_t uid);
struct bytes users_group(struct users *u, const struct container *c, uint32_t gid);

/* Pure: the text of /proc/PID/uid_map, and an id of the host; UINT32_MAX: not in it. */
uint32_t users_map(struct bytes map, uint32_t id);
