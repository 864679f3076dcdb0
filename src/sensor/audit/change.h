/* SPDX-License-Identifier: MIT */
/* One change that a system call made or attempted, by the records alone. Paths and texts are borrowed from its facts. */
#pragma once

#include "sensor/audit/facts.h"

#define AUDIT_CHANGES_MAX 4

/* A record that names no file, and a file that is not as it was. */
enum audit_match {
    AUDIT_MATCH_NAMED,  /* the record or the caller's descriptor says which file it was */
    AUDIT_MATCH_TIMELY, /* changed at the time of the call, and of no other process's */
    AUDIT_MATCH_UNSURE, /* the records do not say by whom */
};

struct audit_change {
    enum operation operation;
    int error; /* 0, or the positive errno */

    const struct audit_path *parent; /* of `name`; NULL: not recorded, `name` is as the caller wrote it */
    const struct audit_path *object; /* the file itself; NULL: not recorded */
    struct bytes name;               /* last component if there is a parent; BYTES_NULL = not recorded */

    /* of a rename: where it was */
    const struct audit_path *previous_parent;
    struct bytes previous_name;
    /* The two parents of a rename differ, and which is the old one does not follow from the
     * records: since Linux 5.11 the order depends on the compiler that built the kernel. `parent`
     * is the first one then. */
    bool parents_unsure;

    struct file_state before, after; /* what the operation changes, as far as the records say */
    struct bytes target;             /* of a symlink; of a hard link the old name as it was written */
    bool target_is_name;             /* target is a path that the caller wrote, relative to its directory */
    int fd;                          /* the file is known only as this descriptor of the caller; -1 = no */
    uint64_t fd_length;              /* ftruncate */
    enum audit_match match;
    const char *note;                /* one more fact for people, or NULL */
};
