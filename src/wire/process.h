/* SPDX-License-Identifier: MIT */
/*
 * What the kernel side captures of a process: one record of a ring buffer, native endian, every byte
 * written. Used by the process tracker, and by whoever captures an actor. A record is a fixed part and
 * a tail of byte strings, whose lengths the fixed part gives. Names of paths have the leaf first, each
 * ended by a NUL: the kernel walks from the leaf to the root.
 */
#pragma once

#include <linux/types.h>

#define WIRE_PROCESS_VERSION 1

enum wire_process_kind {
    WIRE_PROCESS_FORK = 1,   /* no strings but comm: it is its parent's likeness */
    WIRE_PROCESS_EXEC = 2,   /* everything */
    WIRE_PROCESS_EXIT = 3,   /* the last thread; no paths, its memory is gone */
    WIRE_PROCESS_COMM = 4,   /* no paths */
    WIRE_PROCESS_CGROUP = 5, /* moved; the cgroup's path is that of its new place */
};

enum wire_process_flags {
    WIRE_PROCESS_KERNEL = 1 << 0,      /* a kernel thread */
    WIRE_PROCESS_UNLINKED = 1 << 1,    /* the executable had no name any more */
    WIRE_PROCESS_MEMORY = 1 << 2,      /* the executable is a memory file (memfd_create) */
    WIRE_PROCESS_EXE_CUT = 1 << 3,     /* a path that did not fit: its outermost names are missing */
    WIRE_PROCESS_CWD_CUT = 1 << 4,
    WIRE_PROCESS_CGROUP_CUT = 1 << 5,
    WIRE_PROCESS_ARGS_CUT = 1 << 6,    /* there are more */
    WIRE_PROCESS_ARGS_LOST = 1 << 7,   /* not resident */
    WIRE_PROCESS_CWD_GONE = 1 << 8,    /* the working directory had been removed */
};

struct wire_process {
    __u64 time_ns;          /* CLOCK_BOOTTIME, when it was captured */
    __u64 start_ns;         /* start_boottime of the thread group's leader: with tgid the identity */
    __u64 parent_start_ns;  /* of the parent's leader */
    __u64 cgroup;           /* id in the unified hierarchy */
    __u64 exe_inode;        /* as the kernel has it, not always stat's */
    __u32 len;              /* of the whole record, tail included */
    __u16 version;          /* WIRE_PROCESS_VERSION */
    __u16 kind;             /* enum wire_process_kind */
    __u32 flags;            /* enum wire_process_flags */
    __u32 tgid, tid;        /* of the initial pid namespace */
    __u32 parent;           /* tgid of real_parent at this moment */
    __u32 uid, euid, suid, fsuid; /* real_cred, of the initial user namespace */
    __u32 gid, egid, sgid, fsgid;
    __u32 login_uid, session;     /* ~0 = unset, or a kernel without CONFIG_AUDIT */
    __u32 mnt_ns, pid_ns;         /* inode numbers of the namespaces; 0 = unknown */
    __u32 pid_inside;             /* tgid in its own pid namespace */
    __u32 exe_device;             /* s_dev, the kernel's encoding (12:20) */
    __u32 args_size;              /* all of them; args_len says how much was read */
    /* the tail, in this order */
    __u16 exe_len;          /* names, leaf first, mounts crossed */
    __u16 cwd_len;          /* names, leaf first, mounts crossed */
    __u16 cgroup_len;       /* names, leaf first */
    __u16 args_len;         /* each ended by a NUL */
    __u16 script_len;       /* what a #! started, as the caller wrote it */
    __u16 input_len;        /* the regular file that descriptor 0 is, if it has a place: names, leaf first; of an exec only */
    __u8 comm[16];          /* of the leader, ended by a NUL */
    __u8 tty[16];           /* "pts0", "tty1": the driver's name of it; empty = none */
};
_Static_assert(sizeof(struct wire_process) == 168, "layout changed: raise WIRE_PROCESS_VERSION");
