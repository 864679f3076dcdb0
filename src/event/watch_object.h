/* SPDX-License-Identifier: MIT */
/*
 * What a sensor is asked to observe: one path in one mount namespace. A watch (what the user typed)
 * becomes several: in a container the path through the overlay, the same place in its upper
 * directory, and so on.
 *
 * The path need not exist, and it may be replaced: the sensor follows the path, not the first
 * inode. If it is a directory it covers everything below at any depth, whenever created.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/bytes.h"

enum view {
    VIEW_HOST,   /* a host path */
    VIEW_MERGED, /* an overlay's root as its container sees it */
    VIEW_UPPER,  /* the writable layer behind it, seen from the host */
    VIEW_LOWER,  /* a read-only layer behind it */
    VIEW_VOLUME, /* a volume, bind mount or tmpfs in a container */
};

struct watch_object {
    uint32_t id;          /* unique in this run, never reused */
    enum view view;
    unsigned permissions; /* enum permission, event/operation.h */
    bool writes;          /* each write too, not only open and last close (--writes) */

    pid_t ns_pid;         /* a process whose mount namespace `path` is meant in; 0: our own */
    struct bytes path;    /* absolute, normalised, in that namespace; paths of events are given in the same terms */
    struct bytes container; /* the name of the container that the path is meant in, for texts; empty: it is the host's */
    struct bytes host_path; /* a path that opens the same object from our own namespace, e.g. /proc/PID/root/prd */
    /* The first bytes of host_path name a root directory (/proc/PID/root, a layer, a volume) below which
     * others make links and mounts as they like: sensors open host_path only by
     * beneath_open_host(host_path, root_len, flags). 0: a host path, trusted whole. */
    size_t root_len;

    /* Objects of one group show the same files by different views: one change, one event. The
     * sensor reports it for the object with the smallest view that saw it. */
    uint32_t group;
    /* For VIEW_UPPER: changes here that come through a mounted overlay of the same group are that
     * overlay's change; a whiteout (character device 0:0) that appears is a delete of that name. */
};
