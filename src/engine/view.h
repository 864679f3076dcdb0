/* SPDX-License-Identifier: MIT */
/* Where the files of a container are, as its engine has it on record. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "event/container.h"

struct container_mount {
    struct bytes destination; /* in the container */
    struct bytes source;      /* on the host; unknown for tmpfs */
    struct bytes type;        /* "bind", "volume", "tmpfs" */
    struct bytes name;        /* of a volume */
    bool read_only;
};

/* Where a container's files are. The strings live as long as `container`. */
struct container_view {
    struct container *container;   /* owned reference */
    bool running;
    struct bytes merged;           /* overlay's root on the host; mounted only while it runs */
    struct bytes upper;            /* the writable layer */
    struct bytes *lower;           /* read-only layers, topmost first */
    size_t lower_count;
    struct bytes root;             /* plain root directory where there is no overlay */
    struct container_mount *mounts;
    size_t mount_count;
};

/* The innermost mount that has the path, of several at one place the last; NULL: it is in the container's own files. */
const struct container_mount *container_view_mount(const struct container_view *view, struct bytes path);

/* Gives the container back; the view is empty then. */
void container_view_done(struct container_view *view);
