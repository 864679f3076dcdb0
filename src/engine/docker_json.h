/* SPDX-License-Identifier: MIT */
/* What Docker's API answers, taken apart. Pure: bytes in, records out; any input is safe. */
#pragma once

#include "engine/view.h"
#include "util/arena.h"
#include "util/err.h"

/* GET /containers/json?all=1. Calls `each` with a record that it may keep a reference of. */
int docker_parse_list(struct bytes body, int (*each)(void *data, struct container *c), void *data,
                      struct err *err);

/* GET /containers/ID/json */
int docker_parse_inspect(struct bytes body, struct container_view *ret, struct err *err);

/* One object of GET /events. Returns 1: *ret is a moment of a container (owned: container);
 * 0: something else. */
int docker_parse_event(struct bytes body, struct lifecycle_event *ret, struct err *err);

/* GET /volumes/NAME -> its directory on the host, in `arena`. */
int docker_parse_volume(struct bytes body, struct arena *arena, struct bytes *ret, struct err *err);

/* GET /version -> "20.10.24" into `text`. */
int docker_parse_version(struct bytes body, char *text, size_t size);

/* "2026-11-24T02:45:35.123456789Z" -> CLOCK_REALTIME ns; 0 for Docker's zero time and for anything
 * that is no time. */
uint64_t docker_parse_time(struct bytes text);
