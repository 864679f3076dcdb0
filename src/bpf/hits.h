/* SPDX-License-Identifier: MIT */
/* What a look found, in terms of watches: the hits of a change, and which operations are asked for there. */
#pragma once

#include "bpf/record.h"

/* Returns whether there was room. */
static __always_inline bool hit_add(struct wire_change *c, u64 anchor, u32 depth, u32 kind, u32 path)
{
    u32 n = c->hit_count;

    if (n >= WIRE_HITS_MAX)
        return false;
    c->hits[n].anchor = anchor;
    c->hits[n].depth = depth;
    c->hits[n].kind = kind;
    c->hits[n].path = path;
    c->hit_count = n + 1;
    return true;
}

/* A file with several names, one of which is watched, reached by another. */
static __noinline u32 match_link(struct wire_change *c, struct inode *in, u32 path)
{
    struct wire_link_key key = { 0 };
    struct wire_watched *w;

    if (!c || !in || BPF_CORE_READ(in, i_nlink) < 2 || (BPF_CORE_READ(in, i_mode) & S_IFMT) == S_IFDIR)
        return 0;
    key.inode = BPF_CORE_READ(in, i_ino);
    key.device = BPF_CORE_READ(in, i_sb, s_dev);
    w = bpf_map_lookup_elem(&links, &key);
    return w && hit_add(c, key.inode, 0, WIRE_HIT_LINK, path) ? w->operations : 0;
}

/* The names of an anchor: is the one that the path goes through among them? */
static __always_inline u32 hit_name(struct scratch *s, struct found *f, u32 path)
{
    u64 hash_len = name_at((void *)f->child).hash_len;
    struct wire_name_key key = { .parent = f->anchor };
    struct wire_watched *w;

    key.name = name_key((void *)f->child);
    w = bpf_map_lookup_elem(&names, &key);
    if (!w || (!(w->kinds & WIRE_WATCHED_NAME) && f->depth != 1)) {
        /* unless it was renamed meanwhile */
        if (!(f->kinds & WIRE_WATCHED_ROOT) && name_at((void *)f->child).hash_len == hash_len) {
            u64 h = passed_word(s->match.generation, f->anchor, f->child, hash_len, f->depth);

            passed[h % PASSED_SLOTS] = h;
        }
        return 0;
    }
    hit_add(&s->p.change, f->anchor, f->depth, w->kinds & WIRE_WATCHED_NAME ? WIRE_HIT_NAME : WIRE_HIT_ABOVE, path);
    return w->operations;
}

/* The `i`th of what was found. Appends to the hits, returns what is asked for there. Global: see match_note(). */
__noinline int hit_look(u32 i, u32 path)
{
    struct scratch *s = scratch_get();
    struct found *f;
    u32 operations = 0;

    if (!s)
        return 0;
    f = &s->match.found[i % FOUND_MAX];
    if (f->kinds & WIRE_WATCHED_ROOT) {
        operations |= f->operations;
        hit_add(&s->p.change, f->anchor, f->depth, WIRE_HIT_ROOT, path);
    }
    if ((f->kinds & WIRE_WATCHED_ANCHOR) && f->child)
        operations |= hit_name(s, f, path);
    return operations;
}

static __always_inline u32 hits_of(struct scratch *s, u32 path)
{
    u32 operations = 0;

    for (u32 i = 0; i < FOUND_MAX; i++) {
        if (i >= s->match.found_count)
            break;
        operations |= hit_look(i, path);
    }
    return operations;
}

/*
 * A directory on the way to a watched path is made, or another one comes to its name: until user space has
 * looked, everything at and below that name is emitted.
 */
__noinline int open_names(void)
{
    struct scratch *s = scratch_get();
    struct wire_name_key key;

    if (!s)
        return 0;
    key.name = name_key((void *)s->p.dentry);
    for (u32 i = 0; i < WIRE_HITS_MAX; i++) {
        struct wire_watched *w;

        if (i >= s->p.change.hit_count)
            break;
        if (s->p.change.hits[i].kind != WIRE_HIT_ABOVE || s->p.change.hits[i].path)
            continue;
        key.parent = s->p.change.hits[i].anchor;
        w = bpf_map_lookup_elem(&names, &key);
        if (!w)
            continue;
        w->operations |= wanted_operations;
        w->kinds |= WIRE_WATCHED_NAME;
        __sync_fetch_and_add(&generation, 1);
    }
    return 0;
}
