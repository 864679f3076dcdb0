/* SPDX-License-Identifier: MIT */
/*
 * The numbers of the operations, shared with the kernel side. Their meaning is in the table of
 * event/operation.c. Numbers are stored in databases: never reuse one, add at the end.
 */
#pragma once

enum operation {
    OPERATION_NONE = 0,
    OPERATION_READ = 1,
    OPERATION_OPEN_WRITE = 2, /* opened for writing */
    OPERATION_WRITE = 3,      /* contents changed through a descriptor or a mapping */
    OPERATION_TRUNCATE = 4,
    OPERATION_CREATE = 5,
    OPERATION_MKDIR = 6,
    OPERATION_MKNOD = 7,
    OPERATION_SYMLINK = 8,
    OPERATION_LINK = 9,
    OPERATION_UNLINK = 10,
    OPERATION_RMDIR = 11,
    OPERATION_RENAME = 12,
    OPERATION_REPLACE = 13, /* the victim of a rename over it: this object is gone from this name */
    OPERATION_CHMOD = 14,
    OPERATION_CHOWN = 15,
    OPERATION_UTIME = 16,
    OPERATION_SETXATTR = 17,
    OPERATION_REMOVEXATTR = 18,
    OPERATION_SETACL = 19,
    OPERATION_SETFLAGS = 20,
    OPERATION_EXEC = 21,
    OPERATION_MOUNT = 22,   /* something was mounted over the file or directory */
    OPERATION_UNMOUNT = 23,
    OPERATION_ATTRIBUTES = 24, /* mode, owner, times, an extended attribute ...: which of them is not known */
    OPERATION_COUNT
};
