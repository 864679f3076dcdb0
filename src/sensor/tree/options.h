/* SPDX-License-Identifier: MIT */
/* What an index is made with, and what a change of it meant. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/event.h"

struct tree;

struct tree_options {
    bool cross_mounts; /* go into mounts below the root; pseudo file systems (proc, sysfs ...) never */
    bool xattrs;       /* keep names of extended attributes and a digest of each value */
    bool names_only;   /* directories only are entered and kept; files are not looked at */
    pid_t ns_pid;      /* whose mount namespace the tree lies in; 0: ours */

    void *data;
    /* A directory is about to be listed: place the mark now, so that nothing appears unseen. `fd` is
     * borrowed. Negative: do not descend. More than 0: what appears in it has been reported since before it was
     * looked at, so that its count of links need not be looked at again. */
    int (*directory)(void *data, int fd, uint32_t object);
    /* A directory's number is given up: it was removed or left the tree. */
    void (*forget)(void *data, uint32_t object);
};

/* What a change meant. States have known == 0 where there was or is nothing. */
struct tree_change {
    uint32_t name;             /* as it is now; 0 = there is none */
    uint32_t object;
    bool same_object;          /* the name stands for the object it stood for before */
    bool replaced_gone;        /* that name was the last known one of the object that was there */
    struct file_state before;  /* of what the name stood for */
    struct file_state after;   /* of what it stands for */
    /* extended attributes, if options.xattrs and both states are of the same object */
    bool xattr_changed;
    bool xattr_removed;        /* else set or changed */
    char xattr[256];           /* name of the first that differs, NUL-terminated */
};
