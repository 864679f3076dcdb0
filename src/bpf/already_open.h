/* SPDX-License-Identifier: MIT */
/*
 * Who could write to watched files without opening them again: descriptors and shared mappings that
 * are older than the watch. Iterators, run by user space when something is watched.
 */
#pragma once

struct bpf_iter__task_file {
    struct task_struct *task;
    u32 fd;
    struct file *file;
} KERNEL_TYPE;

struct bpf_iter__task_vma {
    struct task_struct *task;
    struct vm_area_struct *vma;
} KERNEL_TYPE;

struct bpf_iter__task {
    struct task_struct *task;
} KERNEL_TYPE;

/* After a look at the file's dentry. */
static __always_inline int emit_already_open(struct scratch *s, u64 task, struct file *f, u32 flags)
{
    struct dentry *d = (void *)s->p.dentry;

    s->who = task;
    if (settle(OPERATION_OPEN_WRITE, BIT(OPERATION_OPEN_WRITE), flags) == OPERATION_NONE)
        return 0;
    s->p.change.header.type = WIRE_ALREADY_OPEN;
    s->p.change.syscall = -1;
    s->p.change.arch = 0;
    s->p.change.flags &= ~(WIRE_IO_URING | WIRE_COMPAT);
    s->p.frequent = 1;
    STATE_BEFORE(s, state_read, BPF_CORE_READ(d, d_inode));
    /* what its last close is compared with: a mapping of an overlay's file has the layer's inode */
    state_read(&s->p.change.after, BPF_CORE_READ(f, f_inode));
    opened_keep((u64)f, &s->p.change.after);
    state_clear(&s->p.change.after);
    return record_emit();
}

#define MAPPINGS_AT_ONCE 48
#define ROUNDS_MAX 8192 /* a list may change while it is gone through, and lead in circles */

/* What open_mapping() is to look at: until 5.17 a global function takes no pointer, not even as a number. */
static u64 mapping_task, mapping_file;
static u64 mapping_next; /* where the list of a process with very many goes on */
static u32 mapping_rounds;

/* A mapping, by pointers that the verifier does not know. */
__noinline int open_mapping(void)
{
    struct file *f = (void *)mapping_file;
    struct inode *in = BPF_CORE_READ(f, f_inode);
    struct dentry *d = BPF_CORE_READ(f, f_path.dentry);
    struct super_block *sb = BPF_CORE_READ(d, d_sb);
    u32 device = BPF_CORE_READ(sb, s_dev);
    struct scratch *s;

    if (!(BPF_CORE_READ(f, f_mode) & FMODE_WRITE) || (BPF_CORE_READ(in, i_mode) & S_IFMT) != S_IFREG)
        return 0;
    if (!device_watched(device))
        return 0;
    s = look_any((u64)d);
    return s ? emit_already_open(s, mapping_task, f, WIRE_MAPPED) : 0;
}

static __always_inline int already_open(struct task_struct *t, struct file *f, u32 flags)
{
    struct scratch *s;
    u64 user;

    if (!(f->f_mode & FMODE_WRITE) || (f->f_inode->i_mode & S_IFMT) != S_IFREG)
        return 0;
    user = user_dentry(f);
    if (!user && !super_watched(f->f_path.dentry->d_sb))
        return 0;
    s = look_any(user ? user : number_of(f->f_path.dentry));
    return s ? emit_already_open(s, (u64)t, f, flags) : 0;
}

SEC("?iter/task_file") int open_files(struct bpf_iter__task_file *ctx)
{
    struct task_struct *t = ctx->task;
    struct file *f = ctx->file;

    if (!t || !f)
        return 0;
    already_open(t, f, 0);
    return 0;
}

#define VM_MAYWRITE 0x20

SEC("?iter/task_vma") int open_mappings(struct bpf_iter__task_vma *ctx)
{
    struct task_struct *t = ctx->task;
    struct vm_area_struct *vma = ctx->vma;
    struct file *f;

    if (!t || !vma || !(vma->vm_flags & VM_SHARED) || !(vma->vm_flags & VM_MAYWRITE))
        return 0;
    f = vma->vm_file;
    if (!f)
        return 0;
    already_open(t, f, WIRE_MAPPED);
    return 0;
}

/* Before 5.12 there is no iterator of mappings, but a list of them in each process. Nothing locks it here: what
 * is mapped or unmapped at this moment may be missed, and new mappings are seen as such. */
SEC("?iter/task") int open_mappings_list(struct bpf_iter__task *ctx)
{
    struct task_struct *t = ctx->task;
    u64 leader, mm, vma;

    if (!t)
        return 0;
    mm = (u64)BPF_CORE_READ(t, mm);
    leader = (u64)BPF_CORE_READ(t, group_leader);
    /* once for a process; a leader that has ended has none */
    if (!mm || (leader != (u64)t && BPF_CORE_READ((struct task_struct *)leader, mm)))
        return 0;
    if (!mapping_next) {
        mapping_next = (u64)BPF_CORE_READ((struct mm_struct *)mm, mmap);
        mapping_rounds = 0;
    }
    mapping_task = (u64)t;
    vma = mapping_next;
    for (int i = 0; i < MAPPINGS_AT_ONCE; i++) {
        struct vm_area_struct *v = (void *)vma;
        u64 flags, file;

        if (!v || (u64)BPF_CORE_READ(v, vm_mm) != mm) {
            vma = 0;
            break;
        }
        flags = BPF_CORE_READ(v, vm_flags);
        file = (u64)BPF_CORE_READ(v, vm_file);
        if ((flags & VM_SHARED) && (flags & VM_MAYWRITE) && file) {
            mapping_file = file;
            open_mapping();
        }
        vma = (u64)BPF_CORE_READ(v, vm_next);
    }
    mapping_next = ++mapping_rounds < ROUNDS_MAX ? vma : 0;
    return mapping_next ? 1 : 0; /* 1: the same process once more */
}
