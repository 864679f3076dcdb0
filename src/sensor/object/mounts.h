/* SPDX-License-Identifier: MIT */
/* What is mounted on the way to a watched path, at it and below it, by the kernel's table of mounts. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/bytes.h"
#include "util/mountinfo.h"
#include "util/sbuf.h"

enum mount_where {
    MOUNT_ABOVE, /* the path lies below it: the mount of "/" too */
    MOUNT_AT,
    MOUNT_BELOW,
};

struct mount_seen {
    struct mountinfo mount;
    struct bytes point; /* unescaped: a view into the room that was handed in */
    enum mount_where where;
};

/* The table of the namespace of that process, 0: our own; appended to `out`. -errno. */
int mounts_read(pid_t ns_pid, struct sbuf *out);

/* The next mount of the table `text`, which moves on, that has to do with the path (absolute, normalised), in the order of
 * mounting: of several at one place the last one is on top. room: for the mount point, its content is replaced. False:
 * that was all, or no memory. Pure. */
bool mounts_next(struct bytes *text, struct bytes path, struct sbuf *room, struct mount_seen *ret);
