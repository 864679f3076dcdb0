/* SPDX-License-Identifier: MIT */
/*
 * Is this dentry at or below something that is watched? By the addresses of inodes, which user space
 * keeps pinned. Whoever is not watched pays for this on every operation, so: first the super block,
 * then one load and one bit for each level of the path, and maps only where a bit is set.
 */
#pragma once

#include "bpf/kernel.h"
#include "wire/change.h"
#include "wire/match.h"

#define WALK_MAX 132 /* levels of a path; deeper ones are told as undecided */

/* Written by user space only: a set bit says that an inode, or a super block, may be in the maps. */
__u64 filter[WIRE_FILTER_BITS / 64];

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
    u32 found_count;
    u32 deep;
    struct found found[FOUND_MAX];
};

/* Must be used on pointers that the verifier knows only. */
#define super_watched(sb) filter_has(WIRE_FILTER_SUPER((sb)->s_dev))
#define super_above(sb) filter_has(WIRE_FILTER_ABOVE((sb)->s_dev))

static __always_inline bool filter_has(u64 key)
{
    u64 h = WIRE_FILTER_HASH(key);

    return filter[(h >> 6) & (WIRE_FILTER_BITS / 64 - 1)] >> (h & 63) & 1;
}

/* A name in 64 bits: length, first and last eight bytes. User space compares the whole. */
static __always_inline u64 name_key(struct dentry *d)
{
    u32 len = BPF_CORE_READ(d, d_name.len);
    const unsigned char *name = BPF_CORE_READ(d, d_name.name);
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
 * Something whose bit is set, `depth` levels up: is it really there? Returns its kinds. The pointers
 * are in the CPU's memory: a global function, which the verifier looks at once and not in every round
 * of a loop, takes numbers only.
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

/* First pass: from the leaf to the root of its file system. `d` must be a pointer the verifier knows. */
static __always_inline void match_walk(struct dentry *d, struct match *m)
{
    u64 child = 0;
    u32 deep = 1, device = d->d_sb->s_dev;

    for (int i = 0; i < WALK_MAX; i++) {
        struct inode *in = d->d_inode;
        struct dentry *parent;

        if (in && filter_has(WIRE_FILTER_INODE(device, in->i_ino)) &&
            match_stop(m, (u64)in, child, i)) {
            deep = 0;
            break;
        }
        parent = d->d_parent;
        if (parent == d) {
            deep = 0;
            break;
        }
        child = (u64)d;
        d = parent;
    }
    if (deep)
        m->deep = 1;
}

/* The same for a pointer that the verifier does not know. */
__noinline int match_walk_any(u64 dentry)
{
    struct dentry *d = (void *)dentry;
    u32 device = BPF_CORE_READ(d, d_sb, s_dev);
    struct match *m = match_get();
    u64 child = 0;

    if (!m)
        return 0;
    for (int i = 0; i < WALK_MAX; i++) {
        struct inode *in = BPF_CORE_READ(d, d_inode);
        struct dentry *parent;

        if (in && filter_has(WIRE_FILTER_INODE(device, BPF_CORE_READ(in, i_ino))) &&
            match_stop(m, (u64)in, child, i))
            return 0;
        parent = BPF_CORE_READ(d, d_parent);
        if (parent == d)
            return 0;
        child = (u64)d;
        d = parent;
    }
    m->deep = 1;
    return 0;
}

static __always_inline void hit_add(struct wire_change *c, struct found *f, u32 kind, u32 path)
{
    u32 n = c->hit_count;

    if (n >= WIRE_HITS_MAX)
        return;
    c->hits[n].anchor = f->anchor;
    c->hits[n].depth = f->depth;
    c->hits[n].kind = kind;
    c->hits[n].path = path;
    c->hit_count = n + 1;
}

/* Second pass: what was found in terms of watches. Appends to hits, returns what is asked for there. */
static __noinline u32 match_hits(struct match *m, struct wire_change *c, u32 path)
{
    u32 operations = 0;

    if (!m || !c)
        return 0;
    for (int i = 0; i < FOUND_MAX; i++) {
        struct found *f = &m->found[i];
        struct wire_name_key key;
        struct wire_watched *w;

        if ((u32)i >= m->found_count)
            break;
        if (f->kinds & WIRE_WATCHED_ROOT) {
            operations |= f->operations;
            hit_add(c, f, WIRE_HIT_ROOT, path);
        }
        if (!(f->kinds & WIRE_WATCHED_ANCHOR) || !f->child)
            continue;
        key.parent = f->anchor;
        key.name = name_key((void *)f->child);
        w = bpf_map_lookup_elem(&names, &key);
        if (!w || (!(w->kinds & WIRE_WATCHED_NAME) && f->depth != 1))
            continue;
        operations |= w->operations;
        hit_add(c, f, w->kinds & WIRE_WATCHED_NAME ? WIRE_HIT_NAME : WIRE_HIT_ABOVE, path);
    }
    return operations;
}
