/* SPDX-License-Identifier: MIT */
/*
 * open(O_CREAT) of a name that is not there: the directory's mode is looked at after this hook, and
 * nothing else is
 * called when it says no. Only the end of the whole call knows. What is not refused is emitted by the open: until then only
 * the name is remembered.
 */
#pragma once

#include "bpf/pending.h"

static __noinline int create_seen(struct dentry *d, u32 mode)
{
    struct scratch *s;

    if ((mode & S_IFMT) && (mode & S_IFMT) != S_IFREG)
        return 0;
    s = look(d);
    if (!s)
        return 0;
    if (d->d_sb->s_magic != OVERLAYFS_MAGIC) {
        struct asked a = { .dentry = (u64)d, .parent = (u64)d->d_parent, .hash_len = name_hash(d) };

        if (!s->match.found_count && !s->match.deep)
            return 0;
        asked_put(&a);
        return 0;
    }
    /* what happens in its layers before the open ends is to be folded into this */
    if (settle(OPERATION_CREATE, BIT(OPERATION_CREATE), 0) == OPERATION_NONE)
        return 0;
    STATE_BEFORE(s, state_load, d->d_inode);
    s->p.named = 1; /* a name that was refused may be forgotten by then */
    s->p.parent = (u64)d->d_parent;
    save_name(s->n.name, d);
    return keep(s, 0, SLOT_OPEN);
}

static __always_inline int create_asked_once(u64 *ctx)
{
    struct dentry *d = (void *)ctx[1];

    return super_watched(d->d_sb) ? create_seen(d, ctx[2]) : 0;
}

DUPLICATED("fentry/security_path_mknod", create_asked, WIRE_DUPLICATED_CREATE_ASKED, ctx[1])

static __noinline int create_refused(struct asked *a, s32 error)
{
    struct dentry *d = a ? (void *)a->dentry : NULL;
    struct scratch *s;

    /* what was there after all was not to be created: its refusal is emitted by may_open() */
    if (!a || BPF_CORE_READ(d, d_inode) || is_denied(0, a->dentry))
        return 0;
    if ((u64)BPF_CORE_READ(d, d_parent) != a->parent || BPF_CORE_READ(d, d_name.hash_len) != a->hash_len) {
        count_loss(WIRE_LOSS_PENDING);
        return 0;
    }
    s = look_any((u64)d);
    if (!s || settle(OPERATION_CREATE, BIT(OPERATION_CREATE), 0) == OPERATION_NONE)
        return 0;
    s->p.change.error = error;
    return record_emit();
}

static __noinline int answer_kept(u64 *ctx)
{
    struct pending *p;
    struct asked a;
    s64 result = 0;
    bool failed;

    bpf_probe_read_kernel(&result, sizeof(result), ctx + 3); /* a pointer or an error: as in mkdir_end() */
    failed = result < 0 && result >= -4095;
    if (asked_take(&a))
        return failed ? create_refused(&a, -result) : 0;
    p = pending_find(0, SLOT_OPEN);
    if (!p)
        return 0;
    if (failed) {
        struct dentry *d = (void *)p->dentry;

        if (!BPF_CORE_READ(d, d_inode))
            return end(0, SLOT_OPEN, result);
    }
    pending_drop(0, SLOT_OPEN);
    return 0;
}

static __always_inline int create_answered_once(u64 *ctx)
{
    return pending_count ? answer_kept(ctx) : 0;
}

DUPLICATED("fexit/do_filp_open", create_answered, WIRE_DUPLICATED_CREATE_ANSWERED, ctx[1])

/* mknod(2) of a regular file, which asked the same hook and opens nothing; a file server. */
SEC("?fentry/vfs_create") int create_begin(u64 *ctx)
{
    struct dentry *d = DENTRY(ctx, WIRE_HOOK_VFS_CREATE);
    struct scratch *s;
    struct asked a;

    (void)asked_take(&a);
    pending_drop(0, SLOT_OPEN);
    s = begin_rare(d, OPERATION_CREATE, BIT(OPERATION_CREATE), WIRE_CREATED);
    return s ? keep(s, (u64)d, SLOT_PLAIN) : 0;
}

SEC("?fexit/vfs_create") int create_end(u64 *ctx)
{
    return END_OF(ctx, WIRE_HOOK_VFS_CREATE, SLOT_PLAIN);
}
