/* SPDX-License-Identifier: MIT */
/*
 * Is this dentry at or below something that is watched? By the addresses of inodes, which user space
 * keeps pinned. Whoever is not watched pays for this on every operation, so: first the super block,
 * then one load and one bit for each level of the path, and maps only where a bit is set.
 */
#pragma once

#include "bpf/compat.h"
#include "wire/change.h"
#include "wire/match.h"

/* The product is the levels of a path; deeper ones are emitted as undecided. In two loops, one within the other, here and where
 * names are put together: the verifier looks at each round of each loop once, and at the inner one once in all. */
#define WALK_OUTER 11
#define WALK_INNER 12
/* As many by pointers that the verifier knows, which is five times as quick, but is looked at by the verifier once
 * a level in each program. */
#define WALK_KNOWN 16

/* Written by user space only: a set bit says that an inode may be in the maps, or that something leads through a
 * super block; a set byte, that something on a super block may be. */
__u64 filter[WIRE_FILTER_BITS / 64];
__u8 supers[WIRE_SUPERS];

/* Set by user space: watches lie within each other, so the first hit is not the only one. */
volatile __u32 overlaps;
/* Operations that any watch asks for, a bit each. */
volatile __u32 wanted_operations;
/* Files with several names are registered. */
volatile __u32 links_watched;
volatile __u32 self_tgid;

/* Inode address -> what it is. Written by user space; never full: its size is set before the load. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __type(key, u64);
    __type(value, struct wire_watched);
    __uint(map_flags, BPF_F_NO_PREALLOC);
} watched SEC(".maps");

/* Directory's inode and name below it -> what it is. The same. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __type(key, struct wire_name_key);
    __type(value, struct wire_watched);
    __uint(map_flags, BPF_F_NO_PREALLOC);
} names SEC(".maps");

/* Files of watched directories that have several names: (s_dev, inode number). Written by user space
 * and by link(2) here; entries go with the watch. When full, user space says so. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __type(key, struct wire_link_key);
    __type(value, struct wire_watched);
    __uint(map_flags, BPF_F_NO_PREALLOC);
} links SEC(".maps");

#define FOUND_MAX 16

struct found {
    u64 anchor;
    u64 child; /* the dentry below it that the path goes through; 0: the anchor itself is the leaf */
    u32 depth;
    u32 kinds;
    u32 operations;
    u32 reserved;
};

struct match {
    u64 inode, child; /* what match_note() is to look at */
    u64 magic;        /* of the file system that was walked */
    u64 generation;   /* of what is registered, when the walk began */
    u64 at, below;    /* where walk_on() is */
    u32 device;
    u32 reserved;
    u32 found_count;
    u32 deep;
    struct found found[FOUND_MAX];
};

#define device_watched(device) (supers[WIRE_SUPER(device)] != 0)
/* Must be used on pointers that the verifier knows only. */
#define super_watched(sb) device_watched((sb)->s_dev)
#define super_above(sb) filter_has(WIRE_FILTER_ABOVE((sb)->s_dev))

static __always_inline bool filter_has(u64 key)
{
    u64 h = WIRE_FILTER_HASH(key);

    return filter[(h >> 6) & (WIRE_FILTER_BITS / 64 - 1)] >> (h & 63) & 1;
}

/* A name in 64 bits: length, first and last eight bytes. User space compares the whole. */
static __always_inline u64 name_key(struct dentry *d)
{
    struct name_at at = name_at(d);
    const unsigned char *name = (void *)at.name;
    u32 len = at.hash_len >> 32;
    u64 first = 0, last = 0;

    if (len >= 8) {
        bpf_probe_read_kernel(&first, 8, name);
        bpf_probe_read_kernel(&last, 8, name + len - 8);
    } else {
        bpf_probe_read_kernel_str(&first, 8, name);
    }
    return WIRE_NAME_KEY(len, first, last);
}

static __always_inline struct match *match_get(void);

/*
 * Names that were looked up and are of no interest: every path of a file system leads through the directories
 * above a watched one, and none of its other children is to pay for the look-up each time. One word each, of
 * everything that the answer depends on, so that two writers cannot make up a third answer. What is registered
 * anew counts the generation up, after the maps were written.
 */
#define PASSED_SLOTS 1024u

__u64 passed[PASSED_SLOTS];
__u64 generation; /* written by user space, and by open_names() */

static __always_inline u64 passed_word(u64 of, u64 anchor, u64 child, u64 hash_len, u32 depth)
{
    u64 h = of * 2 + (depth > 1);

    h = (h ^ anchor) * 0x9e3779b97f4a7c15ull;
    h = (h ^ h >> 29 ^ child) * 0xc2b2ae3d27d4eb4full;
    h = (h ^ h >> 31 ^ hash_len) * 0x9e3779b97f4a7c15ull;
    return h ^ h >> 32;
}

/*
 * Something whose bit is set, and the path goes through `child` below it: is that name known to be of no interest?
 * A global function: the verifier looks at it once and not in every round of a loop, which is what keeps the
 * programs quick to load. It takes numbers only.
 */
__noinline int match_passed(u64 anchor, u64 child, u64 hash_len, u32 depth)
{
    u64 h;

    if (!child)
        return 0;
    h = passed_word(generation, anchor, child, hash_len, depth);
    return passed[h % PASSED_SLOTS] == h;
}

/*
 * Such a thing, `depth` levels up: is it really there? Returns its kinds. Global as well: the pointers are in the
 * CPU's memory.
 */
__noinline int match_note(u32 depth)
{
    struct match *m = match_get();
    struct wire_watched *w;
    u64 inode;
    u32 n;

    if (!m)
        return 0;
    inode = m->inode;
    w = bpf_map_lookup_elem(&watched, &inode);
    n = m->found_count;
    if (!w || n >= FOUND_MAX)
        return 0;
    m->found[n].anchor = inode;
    m->found[n].child = m->child;
    m->found[n].depth = depth;
    m->found[n].kinds = w->kinds;
    m->found[n].operations = w->operations;
    m->found_count = n + 1;
    return w->kinds;
}

static __always_inline bool match_stop(struct match *m, u64 inode, u64 child, u32 depth)
{
    m->inode = inode;
    m->child = child;
    /* at the root itself: by which name? */
    return (match_note(depth) & WIRE_WATCHED_ROOT) && depth > 0 && !overlaps;
}

/* One level of walk_from(). Returns whether to go on. */
__noinline int walk_on(u32 depth)
{
    struct match *m = match_get();
    struct inode *in;
    struct dentry *d;
    u64 parent;

    if (!m)
        return 0;
    d = (void *)m->at;
    in = BPF_CORE_READ(d, d_inode);
    if (in && filter_has(WIRE_FILTER_INODE(m->device, BPF_CORE_READ(in, i_ino))) &&
        !match_passed((u64)in, m->below, m->below ? name_at((void *)m->below).hash_len : 0, depth) &&
        match_stop(m, (u64)in, m->below, depth))
        return 0;
    parent = (u64)BPF_CORE_READ(d, d_parent);
    if (parent == (u64)d)
        return 0;
    m->below = (u64)d;
    m->at = parent;
    return 1;
}

__noinline int walk_some(u32 depth)
{
    for (u32 i = 0; i < WALK_INNER; i++)
        if (!walk_on(depth + i))
            return 0;
    return 1;
}

/* From the level `depth` up: the pointers are in the CPU's memory. */
__noinline int walk_from(u32 depth)
{
    struct match *m = match_get();

    for (u32 i = 0; i < WALK_OUTER; i++)
        if (!walk_some(depth + i * WALK_INNER))
            return 0;
    if (m)
        m->deep = 1;
    return 0;
}

static __always_inline void match_begin(struct dentry *d, struct match *m)
{
    m->magic = d->d_sb->s_magic;
    m->generation = generation;
    barrier(); /* before anything is looked up */
}

/* First pass: from the leaf to the root of its file system. `d` must be a pointer the verifier knows. */
static __always_inline void match_walk(struct dentry *d, struct match *m)
{
    u32 device = d->d_sb->s_dev;
    struct dentry *below = NULL;

    match_begin(d, m);
    for (int i = 0; i < WALK_KNOWN; i++) {
        struct inode *in = d->d_inode;
        struct dentry *parent;

        if (in && filter_has(WIRE_FILTER_INODE(device, in->i_ino)) &&
            !match_passed(number_of(in), number_of(below), name_hash(below), i) && match_stop(m, (u64)in, (u64)below, i))
            return;
        parent = d->d_parent;
        if (parent == d)
            return;
        below = d;
        d = parent;
    }
    m->device = device;
    m->at = (u64)d;
    m->below = (u64)below;
    (void)walk_from(WALK_KNOWN);
}

/* The same for a pointer that the verifier does not know. */
__noinline int match_walk_any(u64 dentry)
{
    struct dentry *d = (void *)dentry;
    struct match *m = match_get();

    if (!m)
        return 0;
    m->magic = BPF_CORE_READ(d, d_sb, s_magic);
    m->device = BPF_CORE_READ(d, d_sb, s_dev);
    m->generation = generation;
    barrier();
    m->at = dentry;
    m->below = 0;
    return walk_from(0);
}
