/* SPDX-License-Identifier: MIT */
/*
 * May this change be made? One decision for all hooks of guard_hooks.h: is something guarded on this file system, does the way
 * up lead through it, may whoever asks, is the guard still meant; then it is written down and refused. Nothing of it is in
 * memory that another task could disturb: only the record is, which may be lost (counted), never the refusal.
 * Everything that is watched is guarded.
 */
#pragma once

#include "bpf/denied.h"
#include "bpf/hits.h"
#include "wire/guard.h"

#define NFS_SUPER_MAGIC 0x6969
#define GUARD_LEVELS 256 /* above those that are walked by known pointers; deeper: refused */
#define CGROUP_LEVELS 16

/* Written by user space; the programs read. */
volatile __u64 guard_until_ns;  /* CLOCK_BOOTTIME: afterwards nothing is refused, unless it is renewed */
volatile __u32 guard_tester;    /* tgid of who only looks whether it is refused */
/* These by the programs. */
__u64 guard_refused, guard_tested, guard_unplaced; /* refusals; the tester's; refusals that no path is known of */
__u64 guard_let; /* opens for writing of what is guarded, by whoever may or while the guard was not meant */
__u64 guard_space; /* what guard_space_query found */

const volatile struct wire_guard_shape guard_shapes[WIRE_GUARD_HOOKS];

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, struct wire_guard_allowed);
    __type(value, u32);
} guard_allowed SEC(".maps");

/* Mount namespaces, by a number that is never given twice, in which mounts over what is guarded are refused. Others make their
 * own view of the files, as every start of a container or of a unit does. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, u64);
    __type(value, u32);
} guard_spaces SEC(".maps");

/* ---- is it guarded? ---- */

enum guard_scope {
    GUARD_BELOW,    /* what is guarded, and below */
    GUARD_FILE,     /* a file of it by any name: that other names come and go does not change it */
    GUARD_NAME,     /* a directory above it too: by another name it would be somewhere else */
    GUARD_COVERING, /* the same on its own file system: mounted over, it would be hidden */
};

__noinline int guard_kinds(u64 inode)
{
    struct wire_watched *w = bpf_map_lookup_elem(&watched, &inode);

    return w ? w->kinds : 0;
}

/* A registered file that has another name outside. */
__noinline int guard_is_link(u64 number, u32 device)
{
    struct wire_link_key key = { .inode = number, .device = device };

    return bpf_map_lookup_elem(&links, &key) != NULL;
}

/*
 * Until 6.13 the verifier takes the inode of a dentry, and the file of a mapping, for pointers that are never NULL when they are
 * arguments of a security module's hook, or what these lead to: it takes checks out, and a name that is not there yet
 * would crash the kernel. So both are numbers here, at once.
 */
static __always_inline bool guard_is_root(u64 inode)
{
    return inode && filter_has(WIRE_FILTER_ROOT(inode)) && (guard_kinds(inode) & WIRE_WATCHED_ROOT);
}

static __always_inline bool guard_is_anchor(u64 inode)
{
    return inode && filter_has(WIRE_FILTER_ANCHOR(inode)) && (guard_kinds(inode) & WIRE_WATCHED_ANCHOR);
}

/* No way leads up from here to the root of its file system: opened by its handle, it may be anything. A client of NFS has several roots. */
static __always_inline bool is_lost(u64 magic)
{
    return magic != NFS_SUPER_MAGIC;
}

/* 0: there is nothing more above; 1: guarded; 2: go on at `match.at`, which is the caller's stack. */
static __noinline int guard_step(u64 *at)
{
    struct dentry *d, *parent;
    struct super_block *sb;
    struct inode *in;

    if (!at)
        return 1;
    d = (void *)*at;
    in = BPF_CORE_READ(d, d_inode);
    if (in && (guard_kinds((u64)in) & WIRE_WATCHED_ROOT))
        return 1;
    parent = BPF_CORE_READ(d, d_parent);
    *at = (u64)parent;
    if (parent != d)
        return 2;
    sb = BPF_CORE_READ(d, d_sb);
    return BPF_CORE_READ(sb, s_root) != d && is_lost(BPF_CORE_READ(sb, s_magic));
}

__noinline int guard_walk_on(u64 dentry)
{
    u64 at = dentry;

    for (int i = 0; i < GUARD_LEVELS; i++) {
        int r = guard_step(&at);

        if (r != 2)
            return r;
    }
    return 1;
}

static __always_inline bool guard_has_link(u64 inode, u32 device)
{
    struct inode *in = (void *)inode;

    return inode && links_watched && BPF_CORE_READ(in, i_nlink) > 1 && guard_is_link(BPF_CORE_READ(in, i_ino), device);
}

static __always_inline bool guard_holds(struct dentry *d, u32 scope)
{
    u32 device = d->d_sb->s_dev;
    u64 inode;

    /* first what is so of most: it is on another file system */
    if (!(device_watched(device) || (scope == GUARD_NAME && super_above(d->d_sb))) || !guard_mode)
        return false;
    inode = number_of(d->d_inode);
    if (scope >= GUARD_NAME && guard_is_anchor(inode))
        return true;
    if (scope == GUARD_FILE && guard_has_link(inode, device))
        return true;
    for (int i = 0; i < WALK_KNOWN; i++) {
        struct dentry *parent;

        if (guard_is_root(number_of(d->d_inode)))
            return true;
        parent = d->d_parent;
        if (parent == d)
            return d->d_sb->s_root != d && is_lost(d->d_sb->s_magic);
        d = parent;
    }
    return guard_walk_on(number_of(d));
}

/* ---- who asks? ---- */

static __always_inline bool is_allowed(u64 kind, u64 value)
{
    struct wire_guard_allowed key = { kind, value };

    return bpf_map_lookup_elem(&guard_allowed, &key) != NULL;
}

/* The kernel's own work; not what a ring of io_uring has done by threads of the kernel, as until 5.11. */
static __always_inline bool is_kernels(struct task_struct *t)
{
    u32 flags = BPF_CORE_READ(t, flags);
    u64 name = 0;

    if (!(flags & PF_KTHREAD) || (flags & PF_IO_WORKER))
        return false;
    bpf_probe_read_kernel(&name, sizeof(name), (void *)t + bpf_core_field_offset(struct task_struct, comm));
    return name != 0x676e6972755f6f69ull; /* "io_uring" */
}

/* Its own cgroup or one above. */
static __always_inline bool is_of_allowed_cgroup(struct task_struct *t)
{
    struct kernfs_node *kn = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn);

    for (int i = 0; i < CGROUP_LEVELS && kn; i++) {
        if (is_allowed(WIRE_GUARD_CGROUP, BPF_CORE_READ(kn, id)))
            return true;
        kn = kernfs_parent(kn);
    }
    return false;
}

/* Who may, or the guard is not meant any more. */
__noinline int guard_allows(void)
{
    struct task_struct *t = (void *)bpf_get_current_task();
    u32 tgid = bpf_get_current_pid_tgid() >> 32;
    u64 exe = 0;

    if (!guard_mode || tgid == self_tgid || tgid == 1 || is_kernels(t))
        return 1;
    if (bpf_ktime_get_boot_ns() > guard_until_ns)
        return 1;
    exe = (u64)BPF_CORE_READ(t, mm, exe_file, f_inode);
    if (exe && is_allowed(WIRE_GUARD_EXECUTABLE, exe))
        return 1;
    if (is_allowed(WIRE_GUARD_USER, BPF_CORE_READ(t, real_cred, uid.val)))
        return 1;
    return is_of_allowed_cgroup(t);
}

/* What a program that emits before the kernel has decided is to leave to the guard. */
__noinline int guard_will_refuse(u64 dentry)
{
    return guard_mode && guard_walk_on(dentry) && !guard_allows();
}

/* ---- what is written down ---- */

static __always_inline struct scratch *guard_begin(u64 dentry, u32 operation, u32 flags)
{
    struct task_struct *t = (void *)bpf_get_current_task();
    struct scratch *s = look_any(dentry);

    if (!s)
        return NULL;
    (void)hits_of(s, 0);
    if (!s->p.change.hit_count && links_watched)
        (void)match_link(&s->p.change, BPF_CORE_READ((struct dentry *)dentry, d_inode), 0);
    change_fill(&s->p.change, operation, flags | WIRE_DENIED, t);
    s->p.change.super = s->match.magic;
    s->p.change.error = EPERM;
    if (s->match.deep)
        s->p.change.flags |= WIRE_DEEP;
    s->p.other = 0;
    s->p.text = 0;
    s->p.named = 0;
    s->p.frequent = 0;
    return s;
}

static __always_inline void guard_emit(struct scratch *s)
{
    if (is_disturbed(s)) {
        count_loss(WIRE_LOSS_SCRATCH);
        return;
    }
    if (!s->p.change.hit_count)
        __sync_fetch_and_add(&guard_unplaced, 1);
    else
        record_emit();
}

/* Returns whether it is to be emitted. */
static __always_inline bool guard_count(u64 what)
{
    u64 task = bpf_get_current_pid_tgid();
    struct denial denial = { bpf_ktime_get_boot_ns(), what };

    bpf_map_update_elem(&denials, &task, &denial, BPF_ANY);
    if (task >> 32 == guard_tester) {
        __sync_fetch_and_add(&guard_tested, 1);
        return false;
    }
    __sync_fetch_and_add(&guard_refused, 1);
    return true;
}

/*
 * Something guarded is to be changed: 1: that is refused. more: the address of a string, an attribute's name or a mount's source;
 * of attributes: which of them.
 */
__noinline int guard_refuses(u64 dentry, u32 operation, u32 flags, u64 more, u64 what)
{
    struct dentry *d = (void *)dentry;
    struct scratch *s;

    if (guard_allows()) {
        if (operation == OPERATION_OPEN_WRITE)
            __sync_fetch_and_add(&guard_let, 1);
        return 0;
    }
    if (!guard_count(what))
        return 1;
    s = guard_begin(dentry, operation, flags);
    if (!s)
        return 1;
    state_read(&s->p.change.file, BPF_CORE_READ(d, d_inode));
    if (operation == OPERATION_TRUNCATE || operation == OPERATION_CHMOD || operation == OPERATION_CHOWN || operation == OPERATION_UTIME)
        s->p.change.valid = more;
    else
        s->p.text = more;
    guard_emit(s);
    return 1;
}

/* The same of a rename or a link, from one name to another. */
__noinline int guard_refuses_two(u64 to, u64 from, u32 operation)
{
    struct dentry *now = (void *)to, *old = (void *)from;
    struct scratch *s;

    if (guard_allows())
        return 0;
    if (!guard_count(to))
        return 1;
    s = guard_begin(to, operation, 0);
    if (!s)
        return 1;
    s->match.found_count = 0;
    match_walk_any(from);
    (void)hits_of(s, 1);
    state_read(&s->p.change.other, BPF_CORE_READ(now, d_inode));
    if (s->p.change.other.known)
        s->p.change.flags |= WIRE_REPLACED;
    state_read(&s->p.change.file, BPF_CORE_READ(old, d_inode));
    s->p.other = from;
    guard_emit(s);
    return 1;
}

/* A number that no other mount namespace ever gets; 0: this kernel has none. */
struct mnt_namespace___seq {
    u64 seq;
} KERNEL_TYPE;

struct ns_common___since618 {
    u64 ns_id;
} KERNEL_TYPE;

struct mnt_namespace___since618 {
    struct ns_common___since618 ns;
} KERNEL_TYPE;

static __always_inline u64 space_of_current(void)
{
    struct task_struct *t = (void *)bpf_get_current_task();
    struct mnt_namespace___seq *old = (void *)BPF_CORE_READ(t, nsproxy, mnt_ns);
    struct mnt_namespace___since618 *new = (void *)old;

    if (bpf_core_field_exists(old->seq))
        return BPF_CORE_READ(old, seq);
    if (bpf_core_field_exists(new->ns.ns_id))
        return BPF_CORE_READ(new, ns.ns_id);
    return 0;
}

/*
 * Of a descriptor of the caller's, which may be of O_PATH: 1: somebody has the file open for writing, 0: nobody, 2: there is no knowing.
 * The kernel counts what is open, wherever it is: in a table of descriptors, a mapping, on its way through a socket, an io_uring, or
 * in an open() that was permitted and has not returned yet.
 */
SEC("raw_tp") int guard_writers_query(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *t = (void *)bpf_get_current_task();
    struct fdtable *table = BPF_CORE_READ(t, files, fdt);
    struct file **files = BPF_CORE_READ(table, fd), *f = NULL;
    u64 number = ctx->args[0];

    if (number >= BPF_CORE_READ(table, max_fds))
        return 2;
    bpf_probe_read_kernel(&f, sizeof(f), files + number);
    if (!f)
        return 2;
    return BPF_CORE_READ(f, f_inode, i_writecount.counter) > 0;
}

/* Of the caller of BPF_PROG_TEST_RUN. */
SEC("raw_tp") int guard_space_query(void *ctx)
{
    guard_space = space_of_current();
    return 0;
}

static __always_inline bool is_guarded_space(void)
{
    u64 space = space_of_current();

    return !space || bpf_map_lookup_elem(&guard_spaces, &space);
}
