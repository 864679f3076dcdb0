/* SPDX-License-Identifier: MIT */
/*
 * One difference of one file between two states: a container's tree and its image, or two moments of the
 * record. A file whose mode and content differ is two differences: they may have two culprits.
 */
#pragma once

#include "event/event.h"

enum difference_kind {
    DIFFERENCE_MISSING, /* was there, is gone */
    DIFFERENCE_ADDED,
    DIFFERENCE_TYPE,    /* a directory became a link, ... */
    DIFFERENCE_CONTENT,
    DIFFERENCE_MODE,
    DIFFERENCE_OWNER,   /* user or group */
    DIFFERENCE_XATTR,   /* extended attribute, ACL, capability */
    DIFFERENCE_TIMES,   /* when the content was modified, as the file says */
    DIFFERENCE_COUNT
};

/* Why nobody is named. */
enum unrecorded {
    UNRECORDED_NOT,         /* somebody is: event is set */
    UNRECORDED_NEVER,  /* nobody has ever watched it */
    UNRECORDED_BEFORE, /* it had happened before the first watch */
    UNRECORDED_UNSEEN, /* it may have happened while somebody watched */
};

/* What a layer says of a missing file of an image. */
enum deleted_by {
    DELETED_NOT_SAID,
    DELETED_WHITEOUT, /* it was deleted: the layer has a whiteout of it, or of a directory above it */
    DELETED_OPAQUE,   /* its directory was removed and made again */
};

struct difference {
    struct arena arena;
    enum difference_kind kind;
    struct bytes path;      /* in the container's view, or the host's */
    struct bytes host_path; /* BYTES_NULL: nowhere, or the same */
    struct file_state before, after; /* what was there and what is: all that is known of the file */
    struct bytes before_hash, after_hash;     /* SHA-256, lower-case hexadecimal; of files' content */
    struct bytes before_target, after_target; /* of symbolic links */
    struct bytes xattr;     /* its name */
    uint64_t changed_ns;    /* CLOCK_REALTIME: not later than this; 0 = unknown */
    uint64_t not_before_ns; /* the same clock: not earlier than this; 0 = unknown */
    enum deleted_by deleted_by;
    struct event *event;    /* owned: the change that made it so; NULL: not recorded */
    enum unrecorded unrecorded;
};

struct difference *difference_new(void); /* NULL: out of memory */
void difference_free(struct difference *d); /* NULL is fine */
const char *difference_kind_name(enum difference_kind kind); /* "missing", "added", ... */
