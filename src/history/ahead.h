/* SPDX-License-Identifier: MIT */
/* A thread that reads the next block meanwhile: it fills blocks[BLOCKS - 1]. */
#pragma once

#include "history/replay_state.h"

struct ahead;
/* p: borrowed until replay_ahead_free(). Starts the thread, which waits to be asked. -ENOMEM, -errno of the log or of the thread. */
int replay_ahead_new(struct replay *p, const struct audit_log_reader_options *options, struct ahead **ret, struct err *err);
void replay_ahead_free(struct ahead *a); /* does not wait for a pipe that is silent; NULL is fine */
/* Begin to fill it; nobody else touches it until replay_ahead_wait(), which returns what the reader does: 1, 0 = no
 * more, -errno; and how far the reader is. */
void replay_ahead_ask(struct ahead *a);
int replay_ahead_wait(struct ahead *a, struct audit_log_stats *ret_stats);
/* Would that return at once? Waits so long for it. */
bool replay_ahead_is_done(struct ahead *a, unsigned timeout_ms);
