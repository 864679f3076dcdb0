/* SPDX-License-Identifier: MIT */
/*
 * What was seen while a container is awaited and belongs to nobody yet: kept until it is known whose it is. A container may be
 * waited for for days: the newest are kept, and what gave way is counted for as long as it may have been a starting one's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct startup_buffer;

/* limit: bytes of all entries together, their heads among them. NULL: out of memory. */
struct startup_buffer *startup_buffer_new(size_t limit);
void startup_buffer_free(struct startup_buffer *b); /* NULL is fine */

/* Room for an entry of that size, aligned for anything, for the caller to fill; the oldest give way to it. NULL: it is
 * too large, or there is no memory; that is counted. now_ms: CLOCK_MONOTONIC. */
void *startup_buffer_add(struct startup_buffer *b, size_t size, uint64_t now_ms);
/* How many were evicted recently; each is counted once. */
uint64_t startup_buffer_take_lost(struct startup_buffer *b, uint64_t now_ms);
/* Hands each entry to `claim`, in order; those it returns true for are dropped. Nothing is added meanwhile. */
void startup_buffer_replay(struct startup_buffer *b, bool (*claim)(void *data, const void *entry), void *data);
void startup_buffer_clear(struct startup_buffer *b);
