/* SPDX-License-Identifier: MIT */
/* The way to a path, component after component: it may be longer than PATH_MAX, end before the path does, and no link is
 * followed on it. */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"

struct way_options {
    int flags; /* of openat() besides O_PATH | O_NOFOLLOW: O_DIRECTORY, or 0 where a last component may be anything */
    /* Each directory before its next component is opened; missing: that was not there, and is looked for once more after
     * this, in case that it came meanwhile. NULL: none is looked at. */
    void (*step)(void *data, int fd, bool missing);
    void *data;
    /* May that be opened, which is in the directory behind fd? What may not counts as missing. NULL: all may. */
    bool (*may_enter)(void *data, int fd, const char *name);
};

/*
 * Goes down from `at`, which is closed by it, also if it fails. *rest: what of the path follows there; afterwards what of it
 * is not there, beginning with the missing component; empty: all is.
 * Returns what is there deepest, O_PATH, the caller closes; -ENAMETOOLONG: a component is longer than LIMIT_NAME; -errno.
 */
int way_open(int at, struct bytes *rest, const struct way_options *options);
