/* SPDX-License-Identifier: MIT */
/* The actor of an event in ECS: "process" and its facts below "culprit". Pure. */
#pragma once

#include "event/event.h"
#include "util/sbuf.h"

struct ecs_raw; /* ecs_parts.h */

/* Processes are dated by the clock that counts from the boot; ECS wants a date. When that boot was is kept with the
 * process: reckoned anew, it would differ by what passes between two clocks, and in a store by boots. Only for old
 * records it is reckoned from now, once for all that are written together. CLOCK_REALTIME of CLOCK_BOOTTIME 0; 0: there is
 * nothing to date. */
uint64_t ecs_booted_ns(const struct actor *a);

/* "process":{...} of an actor, with parent, user, entry leader. */
void ecs_write_process(struct sbuf *out, const struct actor *actor);
/* The facts of an actor below "culprit": login, lineage, origin, owner, script; members. */
void ecs_write_actor_culprit(struct sbuf *out, const struct actor *actor);

/* The same two with the time of the boot at hand; raw: takes what was not UTF-8, NULL: it is left out. */
void ecs_write_process_of(struct sbuf *out, const struct actor *a, uint64_t booted, struct ecs_raw *raw);
void ecs_write_actor_culprit_of(struct sbuf *out, const struct actor *a, uint64_t booted, struct ecs_raw *raw);
