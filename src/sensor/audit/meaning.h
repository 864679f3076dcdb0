/* SPDX-License-Identifier: MIT */
/*
 * What one audited system call did to which file: facts in, changes out. Pure: no look-ups, so paths
 * are not resolved here. A change names its file by the identity of object and parent directory and
 * by the last component of the name.
 *
 * The name in a PARENT record is never used as a path: for a name without a slash the kernel prints
 * the working directory there, also when the name was relative to a directory descriptor
 * (audit-kernel issues 116 and 156: rm -rf, mv). Its device and inode are right.
 */
#pragma once

#include "sensor/audit/facts.h"

#define AUDIT_CHANGES_MAX 4

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
    const char *note;                /* one more fact for people, or NULL */
};

/* How many changes it made or attempted, 0 if none: reads of directories, names that do not exist. */
unsigned audit_meaning(const struct audit_facts *facts,
                       struct audit_change ret[AUDIT_CHANGES_MAX]);
/* The same where the system call's record is missing in a log (facts->has_syscall is false: then the outcome is not
 * known either), or the calls of its architecture are not known: by the names that came and went. The note says so. */
unsigned audit_meaning_of_names(const struct audit_facts *facts, struct audit_change ret[AUDIT_CHANGES_MAX]);
