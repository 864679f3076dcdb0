/* SPDX-License-Identifier: MIT */
/*
 * A file that was cut and has contents (EVENT_NOTE_CUT): fanotify, which sees no calls, does not know whether it was written to after
 * that. If it was the opening that emptied it, it was, and audit has the call. Remembered for a moment, by path and process. A table
 * without lists: what is evicted stays a doubt.
 */
#pragma once

#include <stdint.h>

#include "event/event.h"

struct cut_calls;

struct cut_calls *cut_calls_new(void); /* NULL: out of memory */
void cut_calls_free(struct cut_calls *t); /* NULL is fine */

/* hash: of the watch and the path. Does nothing for what is no opening that audit saw. */
void cut_calls_note(struct cut_calls *t, const struct event *e, uint64_t hash, uint64_t now_ns);
/* Takes the doubt from a write that has it, where the openings say that there is none. */
void cut_calls_decide(const struct cut_calls *t, struct event *e, uint64_t hash, uint64_t now_ns);
