/* SPDX-License-Identifier: MIT */
/*
 * What was told before every sensor had seen it, so that a sight that comes later does not tell it again: on a busy
 * machine audit's record can come seconds after fanotify's event, since it is made when the call returns, and a thread
 * of the kernel delivers it.
 *
 * A late sight is of a change that was told only if it is so by its time too: another change alike, which the first
 * sensor did not see, must not be swallowed. Each sight that was told takes one late one of each other sensor. That a
 * file was opened for writing fanotify tells when it is closed, which may be long after.
 */
#pragma once

#include "watch/sight.h"

struct told;

struct told *told_new(void); /* NULL: out of memory */
void told_free(struct told *t); /* NULL is fine */

/* Copied. Out of memory: it is not remembered, and may be told twice, which is better than not at all.
 * now_ns: CLOCK_MONOTONIC, of now */
void told_add(struct told *t, const struct sight *s, uint64_t now_ns);

/* Is it of a change that was told, alike in that way? Then it has taken its place there. sensors: all that are open. */
bool told_before(struct told *t, const struct sight *late, enum likeness likeness, unsigned sensors, uint64_t now_ns);

#define TOLD_KEPT_NS 600000000000ull /* a file that is open for longer is told again when it is closed */
#define TOLD_MAX 16384
#define TOLD_BYTES_MAX (4u << 20) /* of their paths */
