/* SPDX-License-Identifier: MIT */
/*
 * The events that were emitted before every sensor had seen the change, so that a late observation does not emit the
 * change again: on a busy machine audit's record can come seconds after fanotify's event, since it is made when the
 * call returns, and a thread of the kernel delivers it.
 *
 * A late observation belongs to an emitted event only if their times fit as well: a second change of the same kind, which
 * the first sensor did not see, must not be lost. Each emitted event takes one late observation of each other sensor, and is forgotten once
 * it has them all.
 * fanotify reports that a file was open for writing when it is closed, which may be long after it was opened.
 */
#pragma once

#include "watch/observation.h"

struct emitted;

struct emitted *emitted_new(void); /* NULL: out of memory */
void emitted_free(struct emitted *t); /* NULL is fine */

/* Keeps a copy: of at most EMITTED_MAX, and of none longer than is said below once another one is added. Out of memory: it is not kept, and the change may be emitted twice, which is better than not at all.
 * now_ns: CLOCK_MONOTONIC, of now */
void emitted_add(struct emitted *t, const struct observation *s, uint64_t now_ns);

/* Does `late` belong to an emitted event that is alike in this way? Then it is also counted as seen by its sensor, so that
 * the next one of that sensor does not match the same event again.
 * sensors: enum sensor_bit of all that are open · now_ns: CLOCK_MONOTONIC, of now. One thread, as all of fuse.h. */
bool emitted_before(struct emitted *t, const struct observation *late, enum likeness likeness, unsigned sensors, uint64_t now_ns);

#define EMITTED_KEPT_NS 60000000000ull /* records of audit come some seconds late */
#define EMITTED_OPEN_KEPT_NS 600000000000ull /* a file that is open for longer is emitted again when it is closed */
#define EMITTED_FLAGS_KEPT_NS 86400000000000ull /* of a file that is left alone for longer they are emitted again at the next look */
#define EMITTED_MAX 16384
#define EMITTED_BYTES_MAX (4u << 20) /* of their paths */
