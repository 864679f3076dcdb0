/* SPDX-License-Identifier: MIT */
/*
 * What a record leaves out is looked up: io_uring's changes carry no names, changes through a
 * descriptor no file. Looked up later than the change, so that only what the index or the kernel still
 * confirms is filled in.
 */
#pragma once

#include "sensor/audit/meaning.h"
#include "sensor/audit/object.h"

struct audit_completion { /* memory of what is filled in; valid as long as the changes */
    char names[2 * AUDIT_CHANGES_MAX][LIMIT_NAME + 1];
    struct audit_path files[AUDIT_CHANGES_MAX];
};

/* Files that are known as descriptors of the caller. False: one of them is gone with its process. */
bool audit_complete_files(const struct audit_facts *facts, struct audit_change *changes,
                          unsigned count, struct audit_completion *memory);

/* Names of changes below this object that have none. May list directories again. */
void audit_complete_names(struct audit_object *o, struct audit_change *changes, unsigned count,
                          struct audit_completion *memory);

/* The change is said to be one of flags of a file that is watched, by a descriptor; but they are what the index has: that
 * descriptor may have been closed, and opened for this file. */
bool audit_flags_are_as_known(const struct audit_object *o, const struct audit_change *change);
