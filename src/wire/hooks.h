/* SPDX-License-Identifier: MIT */
/* The kernel functions whose arguments moved over time: user space gives the programs their positions. */
#pragma once

#include <linux/types.h>

enum wire_hook {
    WIRE_HOOK_VFS_UNLINK,
    WIRE_HOOK_VFS_RMDIR,
    WIRE_HOOK_VFS_RENAME,
    WIRE_HOOK_VFS_CREATE,
    WIRE_HOOK_VFS_MKDIR,
    WIRE_HOOK_VFS_MKNOD,
    WIRE_HOOK_VFS_SYMLINK,
    WIRE_HOOK_VFS_LINK,
    WIRE_HOOK_NOTIFY_CHANGE,
    WIRE_HOOK_VFS_SETXATTR,
    WIRE_HOOK_VFS_REMOVEXATTR,
    WIRE_HOOK_VFS_SET_ACL,
    WIRE_HOOK_VFS_REMOVE_ACL,
    WIRE_HOOK_VFS_FILEATTR_SET,
    WIRE_HOOK_MOVE_MOUNT,
    WIRE_HOOK_MAY_OPEN,
    WIRE_HOOK_COUNT,
};

/* What is called often: bpf/duplicated.h */
enum wire_again {
    WIRE_DUPLICATED_UNLINK_BEGIN,
    WIRE_DUPLICATED_UNLINK_END,
    WIRE_DUPLICATED_RENAME_BEGIN,
    WIRE_DUPLICATED_RENAME_END,
    WIRE_DUPLICATED_SETATTR_BEGIN,
    WIRE_DUPLICATED_SETATTR_END,
    WIRE_DUPLICATED_OPEN,
    WIRE_DUPLICATED_CLOSE,
    WIRE_DUPLICATED_MAP,
    WIRE_DUPLICATED_PROTECT,
    WIRE_DUPLICATED_PERMISSION,
    WIRE_DUPLICATED_CREATE_ASKED,
    WIRE_DUPLICATED_CREATE_ANSWERED,
    WIRE_DUPLICATED_COUNT,
};

struct wire_hook_shape {
    __u8 dentry;  /* index of the argument */
    __u8 second;  /* index of the other dentry, name, or attributes */
    __u8 count;   /* of arguments: the result follows them */
    __u8 kind;    /* 1: vfs_rename takes struct renamedata; 1: vfs_mkdir returns a dentry */
};
_Static_assert(sizeof(struct wire_hook_shape) == 4, "layout");
