/* SPDX-License-Identifier: MIT */
/* Whether somebody observes into a store. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/sqlite.h"

/*
 * A span of coverage goes on whose observer lives, or, where that cannot be asked (another pid namespace, none written down), was alive
 * STORE_DEAD_NS ago. An observer that lives and has long not said how far it has seen only has much to read. now_ns: CLOCK_REALTIME.
 */
int others_are_alive(sqlite3 *db, const char *path, uint64_t now_ns, bool *ret, struct err *err);
