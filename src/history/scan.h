/* SPDX-License-Identifier: MIT */
/* Which lines of a log matter, without decoding them. */
#pragma once

#include "history/replay_state.h"

/* Which events of a block may matter. -ENOMEM */
int replay_scan(struct replay *p, struct log_block *b);
void replay_block_clear(struct log_block *b);
bool replay_is_wanted(const struct replay *p, const struct search_line *line);
/* An event that is not decoded still says who its actor's launcher is. */
void replay_see_line(struct replay *p, struct node *node, uint64_t time_ms, const char *text, size_t len);
/* Is offset `at` of this text before options->emit_from? */
/* A login: where that session came from. */
void replay_see_login(struct node *node, const char *text, size_t len);
bool replay_is_before(const struct replay *p, const struct audit_log_block *text, uint32_t at);
