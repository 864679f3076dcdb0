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

#include "sensor/audit/change.h"
#include "sensor/audit/facts.h"

/* How many changes it made or attempted, 0 if none: reads of directories, names that do not exist. */
unsigned audit_meaning(const struct audit_facts *facts,
                       struct audit_change ret[AUDIT_CHANGES_MAX]);
/* The same where the system call's record is missing in a log (facts->has_syscall is false: then the outcome is not
 * known either), or the calls of its architecture are not known: by the names that came and went. The note says so. */
unsigned audit_meaning_of_names(const struct audit_facts *facts, struct audit_change ret[AUDIT_CHANGES_MAX]);
