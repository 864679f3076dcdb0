/* SPDX-License-Identifier: MIT */
/* The words behind `culprit guard`, each ended by a NUL, of one that is begun for others (guard_starter.h). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/sbuf.h"

#define GUARD_ARGUMENTS_MAX 256

/* How many words that many bytes are, each ended by a NUL: one that is not ended does not count. */
size_t guard_words_count(struct bytes words);
/* Views into `words`, for execv(3): GUARD_ARGUMENTS_MAX at most. Returns how many. */
size_t guard_words_take(struct sbuf *words, char **ret);
/*
 * Adds them as they are for one that goes on with what another began gone_ns nanoseconds before: with what is left of --for and --confirm,
 * and not to be confirmed twice. The last word is ended by a NUL. False: that time is over, or was none.
 */
bool guard_words_left(struct bytes words, uint64_t gone_ns, bool confirmed, struct sbuf *out);
