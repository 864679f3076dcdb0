/* SPDX-License-Identifier: MIT */
/*
 * fanotify's event buffer, decoded: bytes in, struct out. Pure; views point into the input. Records
 * of unknown types are passed over, a length that does not fit is an error that says where.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/bytes.h"
#include "util/err.h"

/* Newer than some C libraries' headers. */
#define FANOTIFY_RENAME 0x10000000ull            /* Linux 5.17 */
#define FANOTIFY_FS_ERROR 0x00008000ull          /* Linux 5.16 */
#define FANOTIFY_REPORT_PIDFD 0x00000080u        /* Linux 5.15 */
#define FANOTIFY_REPORT_TARGET_FID 0x00001000u   /* Linux 5.17 */

#define FANOTIFY_FROM_LAYER 0x4000000000000000ull /* ours, in the bytes only */

/* A file handle with its file system: one object's identity for the whole of its life. */
struct fanotify_handle {
    uint64_t fsid;
    int32_t type;
    struct bytes data; /* NULL = not reported */
};

struct fanotify_place {
    struct fanotify_handle directory;
    struct bytes name; /* "." = the directory itself; NULL = not reported */
};

struct fanotify_event {
    uint64_t mask;
    pid_t pid;           /* of the process; 0 = outside of our pid namespace, or the kernel */
    int pidfd;           /* open: the reader closes it; -1 = none */
    bool gone;           /* a pidfd was asked for, and the process had exited */
    bool from_layer;     /* young.h made it, of an event of an overlay's upper layer */
    struct fanotify_place at;  /* of everything but a rename */
    struct fanotify_place from, to; /* of FAN_RENAME; the side that is not watched is not reported */
    struct fanotify_handle object;
    int error;           /* FAN_FS_ERROR: positive errno */
    uint32_t error_count;
    size_t len;          /* of the whole event in the buffer */
    const char *bytes;   /* where it begins there; NULL: it is not there any more */
};

/* Both of the same object; what is not reported equals what is not. Pure. */
static inline bool fanotify_handle_equal(const struct fanotify_handle *a, const struct fanotify_handle *b)
{
    return a->fsid == b->fsid && a->type == b->type && bytes_equal(a->data, b->data);
}

/* The same name in the same directory. What is not reported equals what is not. */
static inline bool fanotify_place_equal(const struct fanotify_place *a, const struct fanotify_place *b)
{
    return fanotify_handle_equal(&a->directory, &b->directory) && bytes_equal(a->name, b->name);
}

/* The first event of `buffer`. -EBADMSG: damaged. */
int fanotify_decode(struct bytes buffer, struct fanotify_event *ret, struct err *err);
