/* SPDX-License-Identifier: MIT */
/* The pipeline's side: records become messages. */
#pragma once

#include "event/container.h"
#include "event/coverage.h"
#include "event/event.h"
#include "store/imported.h"
#include "util/sbuf.h"

struct sender;

struct sender *sender_new(void); /* NULL: out of memory */
void sender_free(struct sender *sender); /* NULL is fine */
/* The writer knows nothing any more of what was sent: begin anew. */
void sender_forget(struct sender *sender);

/* What comes next is in another buffer than what was added before. */
void sender_restart(struct sender *sender);

/* Each appends one message, and before it those it refers to. */
void sender_event(struct sender *sender, const struct event *event, struct sbuf *out);
void sender_life(struct sender *sender, const struct lifecycle_event *life, struct sbuf *out);
void sender_gap(const struct gap *gap, struct sbuf *out);
void sender_coverage(uint64_t number, const struct coverage *coverage, struct sbuf *out);
void sender_coverage_place(uint64_t number, const struct coverage_place *place, struct sbuf *out);
void sender_imported(const struct store_imported *imported, struct sbuf *out);
void sender_coverage_end(uint64_t number, uint64_t to_ns, struct sbuf *out);
