/* SPDX-License-Identifier: MIT */
/* When it happened, as far as the facts so far say. Pure. */
#pragma once

#include "clues/fact.h"

/* Sets the question's spans: the times of the facts, those within two seconds as one; what is known of the deletion itself before the
 * last possible times, what is missing before what changed, the newest first. Times that the user excludes do not count; if he gave
 * both ends and none is left, his span is the one. */
void moments_find(const struct clue_fact *facts, size_t count, struct clue_question *q);

/* The commands of facts that have one, each with its suspect: flat. Bounded. */
void moment_commands(const struct clue_fact *facts, size_t count, struct sbuf *ret);

/* The users whom those that point at somebody name, each once, ended by a NUL. Bounded. */
void moment_users(const struct clue_fact *facts, size_t count, struct sbuf *ret);
