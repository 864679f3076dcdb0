/* SPDX-License-Identifier: MIT */
/* A difference as an ECS line: event.kind is "state"; the change that made it so gives process, container. */
#pragma once

#include "event/difference.h"
#include "event/ecs.h"

/* An object and a newline, added to `out`. victim: NULL: the host. Nothing is kept. */
void difference_write_json(struct sbuf *out, const struct difference *d, const struct container *victim,
                           enum victim_kind victim_kind, struct bytes against, const struct ecs_host *host);
