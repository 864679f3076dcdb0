/* SPDX-License-Identifier: MIT */
/*
 * When copies were kept and when not, and why: a file of fixed size beside the pack, whose rows are written in place, so that a full disk does not
 * keep what it has to say out of it. The newest rows stand in the place of the oldest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/sbuf.h"

struct copy_span {
    uint64_t from_ns, to_ns; /* CLOCK_REALTIME; while it goes on, to_ns is a few seconds old */
    int32_t error;           /* 0: they were kept; else why not: -ENOSPC, -EFBIG (the limit), -EOVERFLOW (too many changes) and others */
    uint32_t ended;          /* 1: it does not go on; 0 also where its process was killed */
    uint64_t check;
};

/* ---- writing: by whoever has the pack open ---- */

struct copy_spans;

/* The observation begins at time_ns. -errno: of the disk. */
int spans_open(int directory, uint64_t time_ns, struct copy_spans **ret);
/* How it is from time_ns on, which may be in the past; again the same: until then. */
void spans_are(struct copy_spans *s, uint64_t time_ns, int error);
void spans_close(struct copy_spans *s, uint64_t time_ns); /* NULL is fine */

/* ---- reading ---- */

/* In the order of time; the caller frees. 0 also where there are none. */
int spans_read(const char *directory, struct copy_span **ret, size_t *ret_count);
/* The first in which none were kept and that has something of the time between both; NULL: none is known of. */
const struct copy_span *spans_find_gap(const struct copy_span *spans, size_t count, uint64_t from_ns, uint64_t to_ns);
/* Since when nobody observed, for more than a minute, of the time between both; 0: all of it was observed. A span that goes on is some seconds
 * behind. */
uint64_t spans_unobserved_since(const struct copy_span *spans, size_t count, uint64_t from_ns, uint64_t to_ns);
/* True: in the last of them, which goes on, none are kept: it is until now_ns (CLOCK_REALTIME) then. */
bool spans_gap_goes_on(struct copy_span *spans, size_t count, uint64_t now_ns);
/* "no copies were kept from ... to ...: the disk was full". goes_on: that is now. */
void spans_write_gap(const struct copy_span *span, bool goes_on, long utc_offset_s, struct sbuf *out);
/* "the disk was full". */
const char *spans_why(int error);
