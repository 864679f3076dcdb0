/* SPDX-License-Identifier: MIT */
/*
 * What the BPF programs report of a change: records of a ring buffer, native endian, every byte written.
 * A record is a fixed part and a tail of byte strings, whose lengths the fixed part gives. Names of
 * paths have the leaf first, each name ended by a NUL: the kernel walks from the leaf to the root.
 */
#pragma once

#include <linux/types.h>

#define WIRE_CHANGE_VERSION 1

enum wire_type {
    WIRE_ACTOR = 1,   /* who: sent once, before the first change that refers to it */
    WIRE_CHANGE = 2,
    WIRE_REFUSED = 3, /* refused before any file was found: only the words of the caller are known */
    WIRE_ALREADY_OPEN = 4, /* found open or mapped when the watch began */
};

struct wire_header {
    __u64 time_ns;   /* CLOCK_BOOTTIME */
    __u32 len;       /* whole record, tail included */
    __u16 version;   /* WIRE_CHANGE_VERSION */
    __u16 type;      /* enum wire_type */
};
_Static_assert(sizeof(struct wire_header) == 16, "layout changed: raise WIRE_CHANGE_VERSION");

enum wire_state_known {
    WIRE_STATE_KNOWN = 1 << 0,
};

/* An inode's facts at one moment. */
struct wire_state {
    __u64 inode;    /* s_dev's own number, not always stat's */
    __u64 size;
    __s64 mtime_ns, ctime_ns, atime_ns; /* CLOCK_REALTIME */
    __u32 device;   /* s_dev, the kernel's encoding (12:20) */
    __u32 known;    /* enum wire_state_known */
    __u32 uid, gid; /* of the initial user namespace */
    __u32 links;
    __u32 flags;    /* S_IMMUTABLE ... of i_flags */
    __u32 mode;
    __u32 reserved;
};
_Static_assert(sizeof(struct wire_state) == 72, "layout changed: raise WIRE_CHANGE_VERSION");

/* Why a path is of interest. `anchor` is the address of a pinned inode, as user space registered it. */
enum wire_hit_kind {
    WIRE_HIT_ROOT = 1,   /* at or below the inode `anchor` itself, whatever leads there */
    WIRE_HIT_NAME = 2,   /* at or below the child of `anchor` that has a watched name */
    WIRE_HIT_ABOVE = 3,  /* exactly a directory above a watched path */
    WIRE_HIT_LINK = 4,   /* a file of the watch by another name; anchor: inode number */
};

struct wire_hit {
    __u64 anchor;
    __u32 depth;     /* names of the path that lie below the anchor */
    __u16 kind;      /* enum wire_hit_kind */
    __u16 path;      /* 0: of the first path, 1: of the second */
};
_Static_assert(sizeof(struct wire_hit) == 16, "layout changed: raise WIRE_CHANGE_VERSION");

#define WIRE_HITS_MAX 6

enum wire_change_flags {
    WIRE_INNER = 1 << 0,      /* with other credentials than the task's own: an overlay's or a server's work */
    WIRE_CREATED = 1 << 1,    /* open: the file did not exist */
    WIRE_TMPFILE = 1 << 2,    /* open: a file without a name */
    WIRE_AT_OPEN = 1 << 3,    /* truncate: by O_TRUNC */
    WIRE_EXCHANGE = 1 << 4,   /* rename: both exist */
    WIRE_WHITEOUT = 1 << 5,   /* rename: leaves a whiteout */
    WIRE_REPLACED = 1 << 6,   /* rename: something was at the new name; `other` has its facts */
    WIRE_MAPPED = 1 << 7,     /* open-write: mapped shared and writable */
    WIRE_DEEP = 1 << 8,       /* the path has more levels than are walked: not decided */
    WIRE_ANY_WRITE = 1 << 9,  /* write: reported while it happens */
    WIRE_BYTES = 1 << 10,     /* `bytes` is known */
    WIRE_PATH_CUT = 1 << 11,  /* the names did not fit */
    WIRE_WHOLE_PATH = 1 << 12,   /* the names reach to the file system's root */
    WIRE_WHOLE_OTHER = 1 << 13,  /* the same of the second path */
    WIRE_IO_URING = 1 << 14,
    WIRE_COMPAT = 1 << 15,    /* 32-bit system call */
    WIRE_BACKING = 1 << 16,   /* the real file under a file of an overlay */
    WIRE_DENIED = 1 << 18,    /* by culprit's guard */
    WIRE_UNMATCHED = 1 << 17, /* the outcome of an operation of an overlay nobody watches, kept for its layers */
};

struct wire_change {
    struct wire_header header;
    __u64 actor;        /* number of the wire_actor that holds the rest */
    __u64 start_ns;     /* of the process: with tgid its identity */
    __u64 cgroup;
    __u64 bytes;        /* written */
    __u64 super;        /* s_magic */
    struct wire_state file;          /* the object, before the change */
    struct wire_state after;         /* the object, after the change */
    struct wire_state other;         /* the victim of a rename; the other file of an exchange */
    struct wire_hit hits[WIRE_HITS_MAX];
    __u32 tgid, tid, parent;
    __u32 uid, euid, suid, fsuid;
    __u32 gid, egid, sgid, fsgid;
    __u32 login_uid, session;
    __u32 hit_count;
    __u32 operation;    /* enum operation */
    __s32 error;        /* errno, 0 = success, -1 = attempted, outcome unknown */
    __u32 flags;        /* enum wire_change_flags */
    __u32 valid;        /* ATTR_* of notify_change; MS_* of mounts */
    __s32 syscall;      /* -1 = unknown */
    __u32 arch;         /* AUDIT_ARCH_*, 0 = unknown */
    /* the tail, in this order */
    __u32 path_len;     /* names, leaf first */
    __u32 other_len;    /* names of the second path: a rename's old one, a link's old one */
    __u32 text_len;     /* a symlink's target, an attribute's name, a mount's source */
    __u32 reserved;
};
_Static_assert(sizeof(struct wire_change) == 464, "layout changed: raise WIRE_CHANGE_VERSION");

/* Beside a change: what is the same for all changes of a process until it executes something else. */
struct wire_actor {
    struct wire_header header;
    __u64 actor;        /* the number that changes refer to */
    __u64 start_ns;
    __u64 exe_inode;
    __u64 mnt_ns;       /* inode number of the namespace */
    __u64 pid_ns;
    __u32 exe_device;   /* s_dev */
    __u32 tgid;
    __u32 exe_links;    /* 0: deleted */
    __u32 args_size;    /* all of them; args_len says how much was read */
    __u32 tty_major, tty_index;
    /* the tail, in this order */
    __u32 comm_len;
    __u32 exe_len;      /* names, leaf first, mounts crossed */
    __u32 cwd_len;      /* names, leaf first, mounts crossed */
    __u32 args_len;     /* each ended by NUL */
    __u32 tty_len;
    __u32 cgroup_len;   /* names, leaf first */
    __u32 flags;        /* enum wire_actor_flags */
    __u32 reserved;
};
_Static_assert(sizeof(struct wire_actor) == 112, "layout changed: raise WIRE_CHANGE_VERSION");

enum wire_actor_flags {
    WIRE_ACTOR_KERNEL = 1 << 0,     /* a kernel thread */
    WIRE_ACTOR_EXE_CUT = 1 << 1,
    WIRE_ACTOR_CWD_CUT = 1 << 2,
    WIRE_ACTOR_MEMFD = 1 << 3,      /* the executable lives in memory only */
    WIRE_ACTOR_ARGS_LOST = 1 << 4,  /* not resident */
};

/* Which end of which call was refused, and by what words: user space finds out what they meant. */
struct wire_refused {
    struct wire_change change;
    __u32 base_len;     /* names of the directory that a relative path starts from, mounts crossed */
    __u32 name_len;     /* what the caller wrote */
    __u32 other_base_len;
    __u32 other_name_len;
};
_Static_assert(sizeof(struct wire_refused) == 480, "layout changed: raise WIRE_CHANGE_VERSION");

/* Ways to lose something in the kernel; each has a counter per CPU. */
enum wire_loss {
    WIRE_LOSS_RARE_RING,      /* names, metadata, mounts */
    WIRE_LOSS_FREQUENT_RING,  /* opens, writes, reads, executions */
    WIRE_LOSS_PENDING,        /* no room to carry state from entry to exit */
    WIRE_LOSS_SCRATCH,        /* preempted while a record was put together */
    WIRE_LOSS_COUNT,
};
