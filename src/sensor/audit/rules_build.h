/* SPDX-License-Identifier: MIT */
/*
 * Rules as the kernel takes them, put together and added to a set: nothing is sent. Each has the set's key. All return 0, -ENOMEM (also
 * where the set is full) or -E2BIG (a rule has more fields than the kernel takes); what was added before stays in the set, whose owner frees it.
 */
#pragma once

#include <stdint.h>

#include "sensor/audit/rules_place.h"
#include "sensor/audit/rules_state.h"

/* The groups of system calls that change what `permissions` (enum permission) names: bits 1 << AUDIT_CALLS_*. */
unsigned rules_build_groups(unsigned permissions);
/* arch: AUDIT_ARCH_* of a kind of system calls. */
int rules_build_calls(struct audit_rule_set *set, uint32_t arch, const struct audit_place *place);
int rules_build_opens(struct audit_rule_set *set, uint32_t arch, const struct audit_place *place);
/* Moves of the place's name and mounts over it. */
int rules_build_moves(struct audit_rule_set *set, uint32_t arch, const struct audit_place *place);
/* The same operations by io_uring, whose filter kernels from 5.16 on have. */
int rules_build_uring(struct audit_rule_set *set, const struct audit_place *place);
int rules_build_uring_moves(struct audit_rule_set *set, const struct audit_place *place);
/* What no path catches: flags of an inode, and unmounting. */
int rules_build_flags(struct audit_rule_set *set, uint32_t arch);
int rules_build_unmounts(struct audit_rule_set *set, uint32_t arch);
/* Records of this type are left out. */
int rules_build_exclusion(struct audit_rule_set *set, uint32_t type);
