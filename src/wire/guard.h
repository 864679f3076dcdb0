/* SPDX-License-Identifier: MIT */
/* What user space says to the programs that refuse changes. */
#pragma once

#include <linux/types.h>

/* The questions of the kernel, by the part of their names after "security_", whose arguments moved over time. */
enum wire_guard_hook {
    WIRE_GUARD_SETATTR,
    WIRE_GUARD_SETXATTR,
    WIRE_GUARD_REMOVEXATTR,
    WIRE_GUARD_SET_ACL,
    WIRE_GUARD_REMOVE_ACL,
    WIRE_GUARD_FILE_SETATTR,
    WIRE_GUARD_MMAP,
    WIRE_GUARD_HOOKS,
};

struct wire_guard_shape {
    __u8 first;  /* index of the dentry; of a mapping: of its protection */
    __u8 second; /* of the attributes or the name; of a mapping: of its flags */
};

/* Who may, whatever is guarded. */
enum wire_guard_kind {
    WIRE_GUARD_EXECUTABLE = 1, /* value: address of its inode */
    WIRE_GUARD_CGROUP = 2,     /* of the unified hierarchy, by its id: and all below */
    WIRE_GUARD_USER = 3,
};

struct wire_guard_allowed {
    __u64 kind; /* enum wire_guard_kind */
    __u64 value;
};
_Static_assert(sizeof(struct wire_guard_allowed) == 16, "layout");
