/* SPDX-License-Identifier: MIT */
/* Who made a change: a record of its own, which goes into the ring before the first change that refers to it. */
#pragma once

#include "bpf/scratch.h"

static __always_inline struct mount *mount_of(struct vfsmount *m)
{
    return (void *)m - bpf_core_field_offset(struct mount, mnt);
}

static __always_inline bool actor_put(struct actor_scratch *a, const void *from)
{
    u32 off = a->tail_len;
    long n;

    if (off > ACTOR_TAIL_SIZE - ACTOR_ARGS_MAX - NAME_SIZE)
        return false;
    n = bpf_probe_read_kernel_str(a->tail + off, NAME_SIZE, from);
    if (n > 0) {
        a->tail_len = off + n;
        a->part_len += n;
    }
    return true;
}

enum actor_step { ACTOR_STEP_ON, ACTOR_STEP_ROOT, ACTOR_STEP_CUT };

/* One step of actor_put_path(): a name, or the way out of a mount. Global: see match_note(). */
__noinline int actor_put_next(void)
{
    struct actor_scratch *a = actor_scratch_get();
    struct mount *m, *up;
    struct name_at at;
    struct dentry *d;

    if (!a)
        return ACTOR_STEP_ROOT;
    d = (void *)a->at;
    m = (void *)a->mount;
    at = name_at(d);
    if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
        up = BPF_CORE_READ(m, mnt_parent);
        if (up == m || !up)
            return ACTOR_STEP_ROOT;
        a->at = (u64)BPF_CORE_READ(m, mnt_mountpoint);
        a->mount = (u64)up;
        return ACTOR_STEP_ON;
    }
    if (!actor_put(a, (void *)at.name))
        return ACTOR_STEP_CUT;
    if (at.parent == (u64)d) /* a file in memory only */
        return ACTOR_STEP_ROOT;
    a->at = at.parent;
    return ACTOR_STEP_ON;
}

__noinline int actor_put_some(void)
{
    for (int i = 0; i < ACTOR_PATH_INNER; i++) {
        int step = actor_put_next();

        if (step != ACTOR_STEP_ON)
            return step;
    }
    return ACTOR_STEP_ON;
}

/* Names of a path from the leaf to the root of the mount tree, i.e. of the namespace. Returns whether it was cut. */
static __always_inline bool actor_put_path(struct actor_scratch *a, u64 address)
{
    struct path *path = (void *)address;

    if (!a)
        return false;
    a->part_len = 0;
    a->at = (u64)BPF_CORE_READ(path, dentry);
    a->mount = (u64)mount_of(BPF_CORE_READ(path, mnt));
    for (int i = 0; i < ACTOR_PATH_OUTER; i++) {
        int step = actor_put_some();

        if (step != ACTOR_STEP_ON)
            return step == ACTOR_STEP_CUT;
    }
    return true;
}

static __always_inline void actor_put_args(struct actor_scratch *a, struct mm_struct *mm)
{
    unsigned long start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
    u64 size = end - start;
    u32 off = a->tail_len;

    a->actor.args_size = size > 0xffffffff ? 0xffffffff : size;
    if (!size || off > ACTOR_TAIL_SIZE - ACTOR_ARGS_MAX - NAME_SIZE)
        return;
    if (size > ACTOR_ARGS_MAX)
        size = ACTOR_ARGS_MAX;
    size &= 2 * ACTOR_ARGS_MAX - 1;
    if (bpf_probe_read_user(a->tail + off, size, (void *)start) < 0) {
        /* one page is not resident: as much as there is in the first */
        size = 4096 - (start & 4095) < size ? 4096 - (start & 4095) : size;
        size &= 2 * ACTOR_ARGS_MAX - 1;
        if (size > ACTOR_ARGS_MAX || bpf_probe_read_user(a->tail + off, size, (void *)start) < 0) {
            a->actor.flags |= WIRE_ACTOR_ARGS_LOST;
            return;
        }
    }
    a->actor.args_len = size;
    a->tail_len = off + size;
}

__noinline int actor_fill(u64 number, u64 task)
{
    struct actor_scratch *a = actor_scratch_get();
    struct task_struct *t = (void *)task;
    struct task_struct *leader = BPF_CORE_READ(t, group_leader);
    struct mm_struct *mm = BPF_CORE_READ(t, mm);
    struct file *exe = mm ? BPF_CORE_READ(mm, exe_file) : NULL;
    struct fs_struct *fs = BPF_CORE_READ(t, fs);
    struct tty_struct *tty = BPF_CORE_READ(t, signal, tty);
    struct kernfs_node *kn = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn);

    if (!a)
        return 0;
    __builtin_memset(&a->actor, 0, sizeof(a->actor));
    a->tail_len = 0;
    a->actor.header.time_ns = bpf_ktime_get_boot_ns();
    a->actor.header.version = WIRE_CHANGE_VERSION;
    a->actor.header.type = WIRE_ACTOR;
    a->actor.actor = number;
    a->actor.start_ns = BPF_CORE_READ(leader, start_boottime);
    a->actor.tgid = BPF_CORE_READ(t, tgid);
    a->actor.mnt_ns = BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum);
    a->actor.pid_ns = BPF_CORE_READ(t, nsproxy, pid_ns_for_children, ns.inum);
    if (BPF_CORE_READ(t, flags) & PF_KTHREAD)
        a->actor.flags |= WIRE_ACTOR_KERNEL;
    /* the leader's: a worker thread of io_uring has another one */
    a->part_len = 0;
    actor_put(a, (void *)leader + bpf_core_field_offset(struct task_struct, comm));
    a->actor.comm_len = a->part_len;
    if (exe) {
        struct inode *in = BPF_CORE_READ(exe, f_inode);

        a->actor.exe_inode = BPF_CORE_READ(in, i_ino);
        a->actor.exe_device = BPF_CORE_READ(in, i_sb, s_dev);
        a->actor.exe_links = BPF_CORE_READ(in, i_nlink);
        if (actor_put_path(a, (u64)exe + bpf_core_field_offset(struct file, f_path)))
            a->actor.flags |= WIRE_ACTOR_EXE_CUT;
        a->actor.exe_len = a->part_len;
        if (BPF_CORE_READ(in, i_sb, s_magic) == TMPFS_MAGIC && !a->actor.exe_links)
            a->actor.flags |= WIRE_ACTOR_MEMFD;
    }
    if (fs) {
        if (actor_put_path(a, (u64)fs + bpf_core_field_offset(struct fs_struct, pwd)))
            a->actor.flags |= WIRE_ACTOR_CWD_CUT;
        a->actor.cwd_len = a->part_len;
    }
    if (mm)
        actor_put_args(a, mm);
    if (tty) {
        a->actor.tty_major = BPF_CORE_READ(tty, driver, major);
        a->actor.tty_index = BPF_CORE_READ(tty, index);
        a->part_len = 0;
        actor_put(a, (void *)tty + bpf_core_field_offset(struct tty_struct, name));
        a->actor.tty_len = a->part_len;
    }
    a->part_len = 0;
    for (int i = 0; i < 16; i++) {
        if (!kn)
            break;
        if (!actor_put(a, BPF_CORE_READ(kn, name)))
            break;
        kn = kernfs_parent(kn);
    }
    a->actor.cgroup_len = a->part_len;
    return 0;
}

/* A wake-up costs more than the record: the reader looks by itself, every 40 ms (daemon/pipeline_loop.c). */
static __always_inline u64 ring_flags(void *ring, u64 size)
{
    return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > size / 4 ? BPF_RB_FORCE_WAKEUP
                                                                 : BPF_RB_NO_WAKEUP;
}

/* Bytes of each ring: set by user space. */
const volatile __u64 ring_size = 1 << 22;

static __always_inline long ring_put(u32 is_frequent, void *data, u64 len)
{
    long r;

    if (is_frequent)
        r = bpf_ringbuf_output(&frequent, data, len, ring_flags(&frequent, ring_size));
    else
        r = bpf_ringbuf_output(&rare, data, len, ring_flags(&rare, ring_size));
    if (r < 0)
        count_loss(is_frequent ? WIRE_LOSS_FREQUENT_RING : WIRE_LOSS_RARE_RING);
    return r;
}

#define ACTOR_READ(READ)                                                                           \
    do {                                                                                           \
        struct mm_struct *mm = READ(t, mm);                                                        \
                                                                                                   \
        tgid = READ(t, tgid);                                                                      \
        now.start_ns = READ(t, group_leader, start_boottime);                                      \
        now.cwd = (u64)READ(t, fs, pwd.dentry);                                                    \
        if (mm) {                                                                                  \
            now.exe = (u64)READ(mm, exe_file);                                                     \
            now.args = READ(mm, arg_start) ^ READ(t, self_exec_id);                                \
        }                                                                                          \
    } while (0)

/* The number of the actor's record, which is put into the ring first if it is not known there. */
static __noinline u64 actor_emit(struct task_struct *who, u32 is_frequent)
{
    u32 bit = is_frequent ? 2 : 1, tgid;
    struct actor_known now = { 0 }, *known;
    struct actor_scratch *a;
    u64 len;

    if (CURRENT_IS_KNOWN && (u64)who == bpf_get_current_task()) {
        struct task_struct *t = current_known();

        ACTOR_READ(LOAD);
    } else {
        struct task_struct *t = who;

        ACTOR_READ(BPF_CORE_READ);
    }
    known = bpf_map_lookup_elem(&actors, &tgid);
    if (known && known->start_ns == now.start_ns && known->exe == now.exe &&
        known->cwd == now.cwd && known->args == now.args) {
        if (known->emitted & bit)
            return known->number;
        now.number = known->number;
        now.emitted = known->emitted;
    } else {
        now.number = bpf_ktime_get_boot_ns() << 8 | (bpf_get_smp_processor_id() & 0xff);
    }
    a = actor_scratch_get();
    if (!a)
        return 0;
    actor_fill(now.number, (u64)who);
    len = sizeof(a->actor) + a->tail_len;
    if (len > sizeof(a->actor) + ACTOR_TAIL_SIZE)
        return 0;
    a->actor.header.len = len;
    if (ring_put(is_frequent, a, len) == 0) {
        now.emitted |= bit;
        bpf_map_update_elem(&actors, &tgid, &now, BPF_ANY);
    }
    return now.number;
}
