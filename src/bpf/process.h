/* SPDX-License-Identifier: MIT */
/*
 * Captures a task's facts into a struct wire_process and its tail. No helper newer than 5.8, no
 * per-iteration state in registers: offsets live in the map's memory, so that the verifier's states
 * stay equal from one round to the next, and its work grows with the depth only (1 M instructions is
 * its limit on every kernel).
 */
#pragma once

#include "bpf/compat.h"
#include "wire/process.h"

#define PROCESS_NAME_SIZE 256
#define PROCESS_TAIL_SIZE 16384
#define PROCESS_PATH_DEPTH 80     /* names and mounts on the way; deeper ones are cut, and said */
#define PROCESS_PATH_ROOM 4096    /* bytes of one path */
#define PROCESS_CGROUP_DEPTH 24
#define CGROUP_SUBSYS_MAX 16      /* CGROUP_SUBSYS_COUNT is 14 with every controller there is (7.0) */
#define PROCESS_ARGS_MAX 4096
#define PROCESS_SCRIPT_MAX 1024

/* One for each program: a program never runs inside itself, but may inside another. */
struct process_scratch {
    struct wire_process p;
    __u8 tail[PROCESS_TAIL_SIZE];
    u32 tail_len;
    u32 part_len;
    u32 room;
    u32 reserved;
};

static __always_inline struct mount *process_mount(struct vfsmount *m)
{
    return (void *)m - bpf_core_field_offset(struct mount, mnt);
}

/* One more name of the part that is being written. False: it does not fit. */
static __always_inline bool process_put_name(struct process_scratch *s, const void *from)
{
    u32 off = s->tail_len;
    long n;

    if (off > PROCESS_TAIL_SIZE - PROCESS_NAME_SIZE || s->part_len + PROCESS_NAME_SIZE > s->room)
        return false;
    n = bpf_probe_read_kernel_str(s->tail + off, PROCESS_NAME_SIZE, from);
    if (n > 0) {
        s->tail_len = off + n;
        s->part_len += n;
    }
    return true;
}

static __always_inline void process_begin_part(struct process_scratch *s, u32 room)
{
    s->part_len = 0;
    s->room = room;
}

/* Names of a path from the leaf to the root of its mount namespace. 1: cut. */
static __noinline int process_put_path(struct process_scratch *s, struct path *path)
{
    struct dentry *d;
    struct mount *m;

    if (!s)
        return 0;
    process_begin_part(s, PROCESS_PATH_ROOM);
    d = BPF_CORE_READ(path, dentry);
    m = process_mount(BPF_CORE_READ(path, mnt));
    if (!d)
        return 0;
    if (BPF_CORE_READ(d, d_parent) == d && BPF_CORE_READ(m, mnt.mnt_root) != d) {
        /* a file without a place, such as a memory file: it has a name only */
        process_put_name(s, BPF_CORE_READ(d, d_name.name));
        return 0;
    }
    for (int i = 0; i < PROCESS_PATH_DEPTH; i++) {
        struct dentry *parent = BPF_CORE_READ(d, d_parent);

        if (d == BPF_CORE_READ(m, mnt.mnt_root) || parent == d) {
            struct mount *up = BPF_CORE_READ(m, mnt_parent);

            if (up == m || !up)
                return 0;
            d = BPF_CORE_READ(m, mnt_mountpoint);
            m = up;
            continue;
        }
        if (!process_put_name(s, BPF_CORE_READ(d, d_name.name)))
            return 1;
        d = parent;
    }
    return 1;
}

/* The unified hierarchy's place, or where that is not used (its root) the deepest of cgroup v1. */
static __always_inline struct cgroup *process_cgroup(struct task_struct *t)
{
    struct css_set *set = BPF_CORE_READ(t, cgroups);
    struct cgroup *best = BPF_CORE_READ(set, dfl_cgrp);
    int level = BPF_CORE_READ(best, level);
    u32 count = bpf_core_field_size(set->subsys) / sizeof(void *);
    struct cgroup_subsys_state *css[CGROUP_SUBSYS_MAX] = { 0 };
    struct cgroup *root = best;

    if (level > 0)
        return best;
    if (count > CGROUP_SUBSYS_MAX)
        count = CGROUP_SUBSYS_MAX;
    bpf_probe_read_kernel(css, count * sizeof(void *), (void *)set + bpf_core_field_offset(struct css_set, subsys));
    for (u32 i = 0; i < CGROUP_SUBSYS_MAX; i++) {
        struct cgroup *at;
        int deep;

        if (i >= count)
            break;
        at = BPF_CORE_READ(css[i], cgroup);
        if (at == root) /* of no hierarchy of its own, as they all are where v1 is not used */
            continue;
        deep = BPF_CORE_READ(at, level);
        if (deep > level) {
            level = deep;
            best = at;
        }
    }
    return best;
}

static __noinline int process_put_kernfs(struct process_scratch *s, struct kernfs_node *kn)
{
    if (!s)
        return 0;
    process_begin_part(s, PROCESS_PATH_ROOM);
    for (int i = 0; i < PROCESS_CGROUP_DEPTH; i++) {
        struct kernfs_node *parent;

        if (!kn)
            return 0;
        parent = kernfs_parent(kn);
        if (!parent)
            return 0; /* the root has an empty name */
        if (!process_put_name(s, BPF_CORE_READ(kn, name)))
            return 1;
        kn = parent;
    }
    return 1;
}

static __always_inline void process_put_cgroup(struct process_scratch *s, struct cgroup *cgroup)
{
    struct kernfs_node *kn = BPF_CORE_READ(cgroup, kn);

    if (process_put_kernfs(s, kn))
        s->p.flags |= WIRE_PROCESS_CGROUP_CUT;
    s->p.cgroup_len = s->part_len;
}

/* A page that is not resident makes the whole read fail: then what the first page has. */
static __always_inline void process_put_args(struct process_scratch *s, struct mm_struct *mm)
{
    unsigned long start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
    u64 size = end - start;
    u32 off = s->tail_len;

    s->p.args_len = 0;
    s->p.args_size = size > 0xffffffff ? 0xffffffff : size;
    if (!size || off > PROCESS_TAIL_SIZE - PROCESS_ARGS_MAX - PROCESS_SCRIPT_MAX)
        return;
    if (size > PROCESS_ARGS_MAX) {
        s->p.flags |= WIRE_PROCESS_ARGS_CUT;
        size = PROCESS_ARGS_MAX;
    }
    size &= 2 * PROCESS_ARGS_MAX - 1;
    if (bpf_probe_read_user(s->tail + off, size, (void *)start) < 0) {
        u64 first = PROCESS_ARGS_MAX - (start & (PROCESS_ARGS_MAX - 1));

        size = first < size ? first : size;
        size &= 2 * PROCESS_ARGS_MAX - 1;
        if (size > PROCESS_ARGS_MAX)
            return;
        s->p.flags |= WIRE_PROCESS_ARGS_CUT;
        if (bpf_probe_read_user(s->tail + off, size, (void *)start) < 0) {
            s->p.flags |= WIRE_PROCESS_ARGS_LOST;
            return;
        }
    }
    s->p.args_len = size;
    s->tail_len = off + size;
}

static __always_inline void process_put_ids(struct wire_process *p, struct task_struct *t)
{
    const struct cred *cred = BPF_CORE_READ(t, real_cred);
    struct task_struct___audit *audit = (void *)t;

    p->uid = BPF_CORE_READ(cred, uid.val);
    p->euid = BPF_CORE_READ(cred, euid.val);
    p->suid = BPF_CORE_READ(cred, suid.val);
    p->fsuid = BPF_CORE_READ(cred, fsuid.val);
    p->gid = BPF_CORE_READ(cred, gid.val);
    p->egid = BPF_CORE_READ(cred, egid.val);
    p->sgid = BPF_CORE_READ(cred, sgid.val);
    p->fsgid = BPF_CORE_READ(cred, fsgid.val);
    p->login_uid = p->session = (u32)-1;
    if (bpf_core_field_exists(audit->loginuid)) {
        p->login_uid = BPF_CORE_READ(audit, loginuid.val);
        p->session = BPF_CORE_READ(audit, sessionid);
    }
}

/* Everything but what needs its memory and its paths. Empties the tail. */
static __always_inline void process_begin(struct process_scratch *s, u32 kind, struct task_struct *t)
{
    struct task_struct *leader = BPF_CORE_READ(t, group_leader);
    struct task_struct *parent = BPF_CORE_READ(leader, real_parent);
    struct tty_struct *tty = BPF_CORE_READ(t, signal, tty);
    struct pid *pid = BPF_CORE_READ(leader, thread_pid);
    struct wire_process *p = &s->p;

    __builtin_memset(p, 0, sizeof(*p));
    s->tail_len = 0;
    p->time_ns = bpf_ktime_get_boot_ns();
    p->version = WIRE_PROCESS_VERSION;
    p->kind = kind;
    p->start_ns = BPF_CORE_READ(leader, start_boottime);
    p->tgid = BPF_CORE_READ(t, tgid);
    p->tid = BPF_CORE_READ(t, pid);
    p->parent = BPF_CORE_READ(parent, tgid);
    p->parent_start_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
    p->cgroup = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
    p->mnt_ns = BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum);
    if (pid) {
        struct upid inside = {};
        u32 level = BPF_CORE_READ(pid, level);

        bpf_probe_read_kernel(&inside, sizeof(inside),
                              (void *)pid + bpf_core_field_offset(struct pid, numbers) +
                                  level * bpf_core_type_size(struct upid));
        p->pid_inside = inside.nr;
        p->pid_ns = BPF_CORE_READ(inside.ns, ns.inum);
    }
    if (BPF_CORE_READ(t, flags) & PF_KTHREAD)
        p->flags |= WIRE_PROCESS_KERNEL;
    process_put_ids(p, t);
    bpf_probe_read_kernel_str(p->comm, sizeof(p->comm),
                              (void *)leader + bpf_core_field_offset(struct task_struct, comm));
    if (tty)
        bpf_probe_read_kernel_str(p->tty, sizeof(p->tty),
                                  (void *)tty + bpf_core_field_offset(struct tty_struct, name));
}

/* Executable, working directory, cgroup and arguments: `t` is current, args are read from its memory. */
static __always_inline void process_put_rest(struct process_scratch *s, struct task_struct *t)
{
    struct mm_struct *mm = BPF_CORE_READ(t, mm);
    struct file *exe = mm ? BPF_CORE_READ(mm, exe_file) : NULL;
    struct fs_struct *fs = BPF_CORE_READ(t, fs);

    if (exe) {
        struct inode *in = BPF_CORE_READ(exe, f_inode);
        struct dentry *d = BPF_CORE_READ(exe, f_path.dentry);

        s->p.exe_inode = BPF_CORE_READ(in, i_ino);
        s->p.exe_device = BPF_CORE_READ(in, i_sb, s_dev);
        if (process_put_path(s, (void *)exe + bpf_core_field_offset(struct file, f_path)))
            s->p.flags |= WIRE_PROCESS_EXE_CUT;
        s->p.exe_len = s->part_len;
        if (BPF_CORE_READ(d, d_parent) == d)
            s->p.flags |= WIRE_PROCESS_MEMORY | WIRE_PROCESS_UNLINKED;
        else if (!BPF_CORE_READ(d, d_hash.pprev) || !BPF_CORE_READ(in, i_nlink))
            s->p.flags |= WIRE_PROCESS_UNLINKED;
    }
    if (fs) {
        struct dentry *d = BPF_CORE_READ(fs, pwd.dentry);

        if (process_put_path(s, (void *)fs + bpf_core_field_offset(struct fs_struct, pwd)))
            s->p.flags |= WIRE_PROCESS_CWD_CUT;
        s->p.cwd_len = s->part_len;
        if (BPF_CORE_READ(d, d_parent) != d && !BPF_CORE_READ(d, d_hash.pprev))
            s->p.flags |= WIRE_PROCESS_CWD_GONE;
    }
    process_put_cgroup(s, process_cgroup(t));
    if (mm)
        process_put_args(s, mm);
}

/* What a #! line started. */
static __always_inline void process_put_script(struct process_scratch *s, const char *name)
{
    u32 off = s->tail_len;
    long n;

    if (off > PROCESS_TAIL_SIZE - PROCESS_SCRIPT_MAX)
        return;
    n = bpf_probe_read_kernel_str(s->tail + off, PROCESS_SCRIPT_MAX, name);
    if (n <= 1)
        return;
    s->p.script_len = n - 1;
    s->tail_len = off + n - 1;
}

/* `sh < FILE`: last in the tail. A pipe, a terminal, /dev/null and what was removed have no name to emit. */
static __always_inline void process_put_input(struct process_scratch *s, struct task_struct *t)
{
    struct file **files = BPF_CORE_READ(t, files, fdt, fd), *f = NULL;
    struct dentry *d;

    if (!files || bpf_probe_read_kernel(&f, sizeof(f), files) < 0 || !f ||
        (BPF_CORE_READ(f, f_inode, i_mode) & S_IFMT) != S_IFREG)
        return;
    d = BPF_CORE_READ(f, f_path.dentry);
    if (BPF_CORE_READ(d, d_parent) == d || !BPF_CORE_READ(d, d_hash.pprev))
        return;
    if (process_put_path(s, (void *)f + bpf_core_field_offset(struct file, f_path)) == 0)
        s->p.input_len = s->part_len;
    else
        s->tail_len -= s->part_len; /* not to be emitted in part */
}
