/* SPDX-License-Identifier: MIT */
/*
 * The system calls that can change a file, by architecture. The numbers come from the kernel's own
 * headers, those of other machines (whose logs may be read here) from libaudit: gen_calls.py reads the list
 * below and writes calls.inc at build time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What a call of this name changes, as auditctl's letters have it: decides whether a rule asks for
 * it. A call that does not exist in an architecture has no number there. */
#define AUDIT_CALLS(X) \
    X(open, OPEN) \
    X(openat, OPEN) \
    X(openat2, OPEN) \
    X(open_by_handle_at, OPEN) \
    X(creat, WRITE) \
    X(truncate, WRITE) \
    X(truncate64, WRITE) \
    X(ftruncate, WRITE) \
    X(ftruncate64, WRITE) \
    X(fallocate, WRITE) \
    X(unlink, WRITE) \
    X(unlinkat, WRITE) \
    X(rmdir, WRITE) \
    X(rename, WRITE) \
    X(renameat, WRITE) \
    X(renameat2, WRITE) \
    X(link, WRITE) \
    X(linkat, WRITE) \
    X(symlink, WRITE) \
    X(symlinkat, WRITE) \
    X(mkdir, WRITE) \
    X(mkdirat, WRITE) \
    X(mknod, WRITE) \
    X(mknodat, WRITE) \
    X(bind, WRITE) \
    X(socketcall, WRITE) \
    X(chmod, ATTR) \
    X(fchmod, ATTR) \
    X(fchmodat, ATTR) \
    X(fchmodat2, ATTR) \
    X(chown, ATTR) \
    X(fchown, ATTR) \
    X(lchown, ATTR) \
    X(fchownat, ATTR) \
    X(chown32, ATTR) \
    X(fchown32, ATTR) \
    X(lchown32, ATTR) \
    X(utime, ATTR) \
    X(utimes, ATTR) \
    X(futimesat, ATTR) \
    X(utimensat, ATTR) \
    X(utimensat_time64, ATTR) \
    X(setxattr, ATTR) \
    X(lsetxattr, ATTR) \
    X(fsetxattr, ATTR) \
    X(setxattrat, ATTR) \
    X(removexattr, ATTR) \
    X(lremovexattr, ATTR) \
    X(fremovexattr, ATTR) \
    X(removexattrat, ATTR) \
    X(file_setattr, ATTR) \
    X(ioctl, IOCTL) \
    X(execve, EXEC) \
    X(execveat, EXEC) \
    X(mount, MOUNT) \
    X(umount, MOUNT) \
    X(umount2, MOUNT) \
    X(move_mount, MOUNT)

enum audit_call_group {
    AUDIT_CALLS_OPEN,
    AUDIT_CALLS_WRITE,
    AUDIT_CALLS_ATTR,
    AUDIT_CALLS_IOCTL,
    AUDIT_CALLS_EXEC,
    AUDIT_CALLS_MOUNT,
};

#define AUDIT_CALL_ENUM(name, group) AUDIT_CALL_##name,
enum audit_call {
    AUDIT_CALL_none,
    AUDIT_CALLS(AUDIT_CALL_ENUM)
    AUDIT_CALL_COUNT
};
#undef AUDIT_CALL_ENUM

/* arch: AUDIT_ARCH_* of linux/audit.h; number: as the record has it (x32's bit is understood).
 * AUDIT_CALL_none: not one of the above, or an architecture that audit_call_knows() not. */
enum audit_call audit_call_by_number(uint32_t arch, uint32_t number);
/* False: what a system call's number means there is not known. */
bool audit_call_knows(uint32_t arch);
/* -1: there is no such call in that architecture. */
int audit_call_number(uint32_t arch, enum audit_call call);
/* "unlinkat"; "" for AUDIT_CALL_none. */
enum audit_call_group audit_call_group(enum audit_call call);

/* The architectures whose calls a program on this machine may use, for rules; 0 past the end. */
uint32_t audit_call_arch(unsigned index);
