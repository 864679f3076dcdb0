/* SPDX-License-Identifier: MIT */
/* What user space registers with the BPF programs: inodes, names, files with several names. */
#pragma once

#include <linux/types.h>

/* A filter in front of the maps: 64 KiB, so that 10,000 watches set some two bits in a hundred. */
#define WIRE_FILTER_BITS (1u << 19)
#define WIRE_FILTER_HASH(key) ((__u64)(key) * 0x9e3779b97f4a7c15ull >> 45)
/* By numbers, not by addresses: the verifier does not let a pointer be multiplied. */
#define WIRE_FILTER_INODE(device, number) ((__u64)(number) ^ (__u64)(device) << 36)
/* Of inodes, where they are numbers: what is watched, and directories with names of those on the way there. */
#define WIRE_FILTER_ROOT(inode) ((__u64)(inode) ^ 0xa5a5ull << 40)
#define WIRE_FILTER_ANCHOR(inode) ((__u64)(inode) ^ 0x3c3cull << 40)
#define WIRE_FILTER_ABOVE(device) ((__u64)(device) ^ 0x5a5a5a5a00000000ull) /* something leads through it */
/* Super blocks have one of their own, a byte each: it is what everybody pays for, wherever a change is made. */
#define WIRE_SUPERS 4096u
#define WIRE_SUPER(device) ((__u64)(device) * 0x1e3779b1 >> 20 & (WIRE_SUPERS - 1))

#define WIRE_NAME_KEY(len, first, last)                                                            \
    (((__u64)(first) * 0x9e3779b97f4a7c15ull) ^ ((__u64)(last) * 0xc2b2ae3d27d4eb4full) ^ (__u64)(len))

enum wire_watched_kind {
    WIRE_WATCHED_ROOT = 1 << 0,   /* everything at and below this inode */
    WIRE_WATCHED_ANCHOR = 1 << 1, /* a directory with watched names, see `names` */
    WIRE_WATCHED_NAME = 1 << 2,   /* of a name: everything at and below it */
    WIRE_WATCHED_ABOVE = 1 << 3,  /* of a name: only its own coming and going */
};

struct wire_watched {
    __u32 kinds;      /* enum wire_watched_kind */
    __u32 operations; /* 1 << enum operation: what is to be reported */
};
_Static_assert(sizeof(struct wire_watched) == 8, "layout");

struct wire_name_key {
    __u64 parent; /* address of the directory's inode */
    __u64 name;   /* WIRE_NAME_KEY */
};
_Static_assert(sizeof(struct wire_name_key) == 16, "layout");

struct wire_link_key {
    __u64 inode;
    __u32 device; /* s_dev */
    __u32 reserved;
};
_Static_assert(sizeof(struct wire_link_key) == 16, "layout");

/* The chain of directories above an open descriptor, as the query program finds it. */
#define WIRE_CHAIN_MAX 128
#define WIRE_INODE_NOCMTIME 0x80 /* S_NOCMTIME of include/linux/fs.h (5.10 to 7.2): the kernel does not set its times itself */

struct wire_chain_entry {
    __u64 inode;   /* address */
    __u64 name;    /* WIRE_NAME_KEY of this entry's own name; 0 for a root */
    __u64 number;  /* i_ino */
    __u32 device;  /* s_dev */
    __u32 mount;   /* 1: the root of a mount, which hangs at the next entry's child of the same place */
};
_Static_assert(sizeof(struct wire_chain_entry) == 32, "layout");

struct wire_chain {
    __u64 magic;
    __u64 top;     /* the program's own */
    __u32 count;
    __u32 error;   /* 0, or 1: no such descriptor, 2: deeper than WIRE_CHAIN_MAX */
    __u32 mode;
    __u32 levels_in_file_system; /* names between the object and its file system's root */
    __u32 levels_in_mount;       /* names between the object and its mount's root */
    __u32 mounts;
    __u32 inode_flags; /* i_flags of the object, or of what is there of its path */
    __u32 reserved;
    struct wire_chain_entry entries[WIRE_CHAIN_MAX];
};
