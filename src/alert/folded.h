/* SPDX-License-Identifier: MIT */
/*
 * What was expected of recorded events, for whoever asks what made no alert: counted by the row that explains it and by cause. Memory is
 * bounded: of each row so many causes, the others are counted. Pure, but for the local time zone. One thread.
 */
#pragma once

#include "alert/expect.h"
#include "util/sbuf.h"

struct folded;

/* rules: borrowed for the whole life. NULL: out of memory. */
struct folded *folded_new(const struct expect_rules *rules);
void folded_free(struct folded *f); /* NULL is fine */
/* Copies what it keeps. The event's cause is known. */
void folded_add(struct folded *f, const struct event *event);

/* How many were expected, of how many; a line for each row with its count, and one for each of its first `top` causes (0: all). target: as it
 * was asked for, for the line that says how to see the others. */
void folded_write_text(struct folded *f, uint64_t top, struct bytes target, struct sbuf *out);
/* One object a line for each row, all its causes in it, then one for what was not expected (named "none"), which may be 0. */
void folded_write_json(struct folded *f, struct sbuf *out);
