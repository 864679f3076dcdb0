/* SPDX-License-Identifier: MIT */
/*
 * What an open descriptor of the caller's is to the kernel: the inodes from it up to the root of its
 * mount namespace. stat() gives other numbers than the kernel works with (btrfs, several overlays).
 * Run by BPF_PROG_TEST_RUN with the descriptor as its argument.
 */
#pragma once

#include "bpf/record.h"

struct wire_chain chain;

static u64 query_at, query_mount; /* the dentry that query_step() looks at, and whose mount it is */

/* One entry of the chain. Returns whether to go on. Global: see match_note(). */
__noinline int query_step(u32 i)
{
    struct wire_chain_entry *e = &chain.entries[i % WIRE_CHAIN_MAX];
    struct dentry *d = (void *)query_at;
    struct mount *m = (void *)query_mount, *up;
    struct inode *in = BPF_CORE_READ(d, d_inode);
    u64 parent = (u64)BPF_CORE_READ(d, d_parent);

    e->inode = (u64)in;
    e->number = BPF_CORE_READ(in, i_ino);
    e->device = BPF_CORE_READ(in, i_sb, s_dev);
    e->name = name_key(d);
    e->mount = d == BPF_CORE_READ(m, mnt.mnt_root) || parent == (u64)d;
    chain.count = i + 1;
    if (!e->mount) {
        if (!chain.mounts)
            chain.levels_in_mount++;
        query_at = parent;
        return 1;
    }
    up = BPF_CORE_READ(m, mnt_parent);
    if (!chain.mounts)
        chain.top = (u64)d;
    chain.mounts++;
    if (up == m || !up) {
        chain.error = 0;
        return 0;
    }
    query_at = (u64)BPF_CORE_READ(m, mnt_mountpoint);
    query_mount = (u64)up;
    return 1;
}

SEC("raw_tp") int query(struct bpf_raw_tracepoint_args *ctx)
{
    struct task_struct *t = (void *)bpf_get_current_task();
    struct fdtable *table = BPF_CORE_READ(t, files, fdt);
    u64 number = ctx->args[0];
    struct file **files = BPF_CORE_READ(table, fd), *f = NULL;
    struct dentry *top;

    /* what changes from round to round stays in memory: see put_name() */
    chain.mounts = 0;
    chain.top = 0;
    chain.count = 0;
    chain.error = 1;
    chain.levels_in_mount = chain.levels_in_file_system = 0;
    if (number >= BPF_CORE_READ(table, max_fds))
        return 0;
    bpf_probe_read_kernel(&f, sizeof(f), files + number);
    if (!f)
        return 0;
    chain.error = 2;
    chain.mode = BPF_CORE_READ(f, f_inode, i_mode);
    chain.inode_flags = BPF_CORE_READ(f, f_inode, i_flags);
    chain.magic = BPF_CORE_READ(f, f_inode, i_sb, s_magic);
    query_at = (u64)BPF_CORE_READ(f, f_path.dentry);
    query_mount = (u64)mount_of(BPF_CORE_READ(f, f_path.mnt));
    for (u32 i = 0; i < WIRE_CHAIN_MAX; i++)
        if (!query_step(i))
            break;
    /* from the mount's root to the file system's */
    top = (void *)chain.top;
    for (u32 i = 0; i < 64 && top; i++) {
        struct dentry *above = BPF_CORE_READ(top, d_parent);

        if (above == top)
            break;
        chain.levels_in_file_system++;
        top = above;
    }
    return 0;
}
