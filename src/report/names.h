/* SPDX-License-Identifier: MIT */
/* What people call somebody: causes, programs, users, containers, in the words of the verdict. Escaped for terminals. */
#pragma once

#include "event/event.h"
#include "util/sbuf.h"

/* What belongs together has the same key: the cause's, else that of executable and launchers. */
uint64_t name_cause_key(const struct event *event);
void name_cause(struct sbuf *out, const struct event *event);
void name_program(struct sbuf *out, const struct event *event);
void name_user(struct sbuf *out, const struct event *event);
/* Its name, else the beginning of its id. */
void name_container(struct sbuf *out, const struct container *container);
