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

static __always_inline int held(struct task_struct *t, struct file *f, u32 flags)
{
    struct dentry *d;
    struct scratch *s;

    if (!(f->f_mode & FMODE_WRITE) || (f->f_inode->i_mode & S_IFMT) != S_IFREG)
        return 0;
    d = f->f_path.dentry;
    if (is_backing(f))
        return 0;
    s = look(d);
    if (!s)
        return 0;
    s->who = (u64)t;
    if (settle(OPERATION_OPEN_WRITE, BIT(OPERATION_OPEN_WRITE), flags) == OPERATION_NONE)
        return 0;
    s->p.change.header.type = WIRE_HELD;
    s->p.change.syscall = -1;
    s->p.change.arch = 0;
    s->p.change.flags &= ~(WIRE_IO_URING | WIRE_COMPAT);
    s->p.frequent = 1;
    opened_keep(f);
    return tell(s);
}

SEC("?iter/task_file") int held_files(struct bpf_iter__task_file *ctx)
{
    struct task_struct *t = ctx->task;
    struct file *f = ctx->file;

    if (!t || !f)
        return 0;
    held(t, f, 0);
    return 0;
}

#define VM_MAYWRITE 0x20

SEC("?iter/task_vma") int held_mappings(struct bpf_iter__task_vma *ctx)
{
    struct task_struct *t = ctx->task;
    struct vm_area_struct *vma = ctx->vma;
    struct file *f;

    if (!t || !vma || !(vma->vm_flags & VM_SHARED) || !(vma->vm_flags & VM_MAYWRITE))
        return 0;
    f = vma->vm_file;
    if (!f)
        return 0;
    held(t, f, WIRE_MAPPED);
    return 0;
}
