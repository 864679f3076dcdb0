/* SPDX-License-Identifier: MIT */
/*
 * Proposes expect blocks: of recorded changes that nothing expects, those that one cause makes again and again, as text of the configuration
 * for people to review. What a person typed, what happened on one day only, what touches culprit itself or was refused is listed, and not
 * proposed. Memory is bounded. Pure, but for the local time zone. One thread.
 */
#pragma once

#include "alert/expect.h"
#include "util/sbuf.h"

struct learn;

/* rules: what is expected already; borrowed for the whole life. NULL: out of memory. */
struct learn *learn_new(const struct expect_rules *rules);
void learn_free(struct learn *l); /* NULL is fine */
/* In order of time. The event's cause is known. Copies what it keeps. */
void learn_add(struct learn *l, const struct event *event);
/* How many changes nothing expects, so far. */
uint64_t learn_unexpected(const struct learn *l);

/* Blocks with what each is of in a comment above it, then what is not proposed and why, as comments. How many blocks. */
unsigned learn_write(struct learn *l, struct sbuf *out);
