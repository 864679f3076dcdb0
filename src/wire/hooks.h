/* SPDX-License-Identifier: MIT */
/* The kernel functions whose arguments moved over time: user space tells the programs where they are. */
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

/* What is called often: bpf/again.h */
enum wire_again {
    WIRE_AGAIN_UNLINK_BEGIN,
    WIRE_AGAIN_UNLINK_END,
    WIRE_AGAIN_RENAME_BEGIN,
    WIRE_AGAIN_RENAME_END,
    WIRE_AGAIN_SETATTR_BEGIN,
    WIRE_AGAIN_SETATTR_END,
    WIRE_AGAIN_OPEN,
    WIRE_AGAIN_CLOSE,
    WIRE_AGAIN_MAP,
    WIRE_AGAIN_PROTECT,
    WIRE_AGAIN_PERMISSION,
    WIRE_AGAIN_CREATE_ASKED,
    WIRE_AGAIN_CREATE_ANSWERED,
    WIRE_AGAIN_COUNT,
};

struct wire_hook_shape {
    __u8 dentry;  /* index of the argument */
    __u8 second;  /* index of the other dentry, name, or attributes */
    __u8 count;   /* of arguments: the result follows them */
    __u8 kind;    /* 1: vfs_rename takes struct renamedata; 1: vfs_mkdir returns a dentry */
};
_Static_assert(sizeof(struct wire_hook_shape) == 4, "layout");
