/* SPDX-License-Identifier: MIT */
/*
 * Messages that wait for a sink, each a file, in the order of their numbers: they outlive the process and the machine's end. Bounded:
 * the oldest give way, and are counted. One thread.
 */
#pragma once

#include <errno.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"

#define SINK_SPOOL_COUNT 4096               /* a week at 100 a day is 700 */
#define SINK_SPOOL_BYTES (64 * 1024 * 1024)

struct sink_spool {
    int dir;                 /* -EBADF: closed */
    uint64_t first, last;    /* numbers that may be there: first..last; last < first: none */
    uint64_t count, bytes;
    uint64_t max_count;      /* beside the bytes */
    uint64_t dropped;        /* since it was opened */
};
#define SINK_SPOOL_INIT ((struct sink_spool){ .dir = -EBADF, .first = 1, .max_count = SINK_SPOOL_COUNT })

/* Makes the directory where it is missing (0700), finds what lies there. -errno. Its descriptor is its process's for as long as that is there. */
int sink_spool_open(struct sink_spool *s, const char *directory, struct err *err);
/* On disk when it returns. -errno: it is not kept. */
int sink_spool_put(struct sink_spool *s, struct bytes message, struct err *err);
/* The oldest. -ENOENT: none waits. What cannot be read is dropped and counted. */
int sink_spool_oldest(struct sink_spool *s, struct sbuf *ret);
void sink_spool_remove_oldest(struct sink_spool *s);
