/* SPDX-License-Identifier: MIT */
/* The cause and the person of an event as JSON, for event/ecs.c and report/. Pure. */
#pragma once

#include "event/cause.h"
#include "event/event.h"
#include "util/sbuf.h"

/* Bytes of the arguments of other processes than the actor that a line may have, so that it stays small. */
#define ECS_ARGS_MAX 256

/* "cause":{...},"person":{...}: members of "culprit", with a comma before where it is not the first. What is not known is
 * left out. */
void ecs_write_cause(struct sbuf *out, const struct cause *cause);
/* "user":{...}, a comma before: whoever logged in or called sudo, and as `effective` who it ran as. */
void ecs_write_user(struct sbuf *out, const struct actor *actor, const struct person *person);
