/* SPDX-License-Identifier: MIT */
/* Names of users and groups, in the world that asks: the host's, or a container's own /etc/passwd. */
#pragma once

#include <stdint.h>

#include "event/container.h"
#include "util/bytes.h"
#include "util/err.h"

struct users;

int users_new(struct users **ret, struct err *err);
void users_free(struct users *u); /* NULL is fine */

/* container NULL: the host's. The answer is cached for each (container, id) and valid until
 * users_free(); BYTES_NULL: no name. A container that does not run answers from the cache only. */
struct bytes users_name(struct users *u, const struct container *c, uint32_t uid);
struct bytes users_group(struct users *u, const struct container *c, uint32_t gid);
