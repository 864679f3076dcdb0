/* SPDX-License-Identifier: MIT */
/* What people call somebody: causes, programs, users, containers, in the words of the verdict. Escaped for terminals. */
#pragma once

#include "event/cause.h"
#include "event/event.h"
#include "report/name_launcher.h"
#include "report/name_parts.h"
#include "util/sbuf.h"

/* What belongs together has the same key: the cause's, else that of executable and launchers. */
struct fingerprint name_cause_key(const struct event *event);

/* Who did it, as the first words of a sentence: "/opt/jobs/purge-logs, a cron job of bob,". `capital`: it begins one.
 * *ret_comma: a part is set off by commas, so that one has to follow. */
void name_subject(struct sbuf *out, const struct cause *cause, const struct actor *actor, bool own_command,
                  bool *ret_comma);

/* The program that made the change for what was run; nothing where that is it itself, or a part of the same product. */
struct bytes name_tool(const struct event *event);
/* Without its command line, which may be another one each time; borrows what it is made of. */
struct cause name_short(const struct cause *cause);
/* The first words of a sentence of it, so shortened. */
void name_cause(struct sbuf *out, const struct event *event);
void name_program(struct sbuf *out, const struct event *event);
void name_user(struct sbuf *out, const struct event *event);
