/* SPDX-License-Identifier: MIT */
/* Every difference between kernels that the programs meet, each with where it comes from. */
#pragma once

#include "bpf/kernel.h"

/* kernfs_node.parent became __parent (RCU protected) in 6.15, 633488947ef6. */
struct kernfs_node___pre615 {
    struct kernfs_node *parent;
} KERNEL_TYPE;

struct kernfs_node___since615 {
    struct kernfs_node *__parent;
} KERNEL_TYPE;

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *kn)
{
    struct kernfs_node___pre615 *old = (void *)kn;
    struct kernfs_node___since615 *new = (void *)kn;

    if (bpf_core_field_exists(old->parent))
        return BPF_CORE_READ(old, parent);
    if (bpf_core_field_exists(new->__parent))
        return BPF_CORE_READ(new, __parent);
    return NULL;
}

/* A dentry hangs in its inode's list by d_u.d_alias; the union lost its name after 6.12. */
struct dentry___named_union {
    union {
        struct hlist_node d_alias;
    } d_u;
} KERNEL_TYPE;

struct dentry___anonymous_union {
    struct hlist_node d_alias;
} KERNEL_TYPE;

/* The dentry that the list's node belongs to; 0 if there is no knowing. */
static __always_inline u64 dentry_of_alias(u64 node)
{
    if (bpf_core_field_exists(struct dentry___named_union, d_u.d_alias))
        return node - bpf_core_field_offset(struct dentry___named_union, d_u.d_alias);
    if (bpf_core_field_exists(struct dentry___anonymous_union, d_alias))
        return node - bpf_core_field_offset(struct dentry___anonymous_union, d_alias);
    return 0;
}

/* Only with CONFIG_AUDIT. */
struct task_struct___audit {
    kuid_t loginuid;
    u32 sessionid;
} KERNEL_TYPE;

/* Times of an inode: struct timespec64 i_mtime until 6.6; i_mtime renamed __i_mtime in 6.7
 * (12cd44023651); split into i_mtime_sec and i_mtime_nsec in 6.11 (3aa63a569c64). */
struct timespec64 {
    s64 tv_sec;
    long tv_nsec;
} KERNEL_TYPE;

struct inode___pre66 {
    struct timespec64 i_atime, i_mtime, i_ctime;
} KERNEL_TYPE;

struct inode___66 {
    struct timespec64 i_atime, i_mtime, __i_ctime;
} KERNEL_TYPE;

struct inode___67 {
    struct timespec64 __i_atime, __i_mtime, __i_ctime;
} KERNEL_TYPE;

struct inode___since611 {
    s64 i_atime_sec, i_mtime_sec, i_ctime_sec;
    u32 i_atime_nsec, i_mtime_nsec, i_ctime_nsec;
} KERNEL_TYPE;

#define NSEC 1000000000ll
/* since 6.13 the topmost bits of ctime's nanoseconds are a flag (I_CTIME_QUERIED) */
#define NSEC_MASK 0x3fffffff
#define INODE_TIME(ts) (BPF_CORE_READ(in, ts.tv_sec) * NSEC + BPF_CORE_READ(in, ts.tv_nsec))

static __always_inline void inode_times(void *inode, s64 *atime, s64 *mtime, s64 *ctime)
{
    *atime = *mtime = *ctime = 0;
    if (bpf_core_field_exists(struct inode___since611, i_mtime_sec)) {
        struct inode___since611 *in = inode;

        *atime = BPF_CORE_READ(in, i_atime_sec) * NSEC + BPF_CORE_READ(in, i_atime_nsec);
        *mtime = BPF_CORE_READ(in, i_mtime_sec) * NSEC + BPF_CORE_READ(in, i_mtime_nsec);
        *ctime = BPF_CORE_READ(in, i_ctime_sec) * NSEC +
                 (BPF_CORE_READ(in, i_ctime_nsec) & NSEC_MASK);
    } else if (bpf_core_field_exists(struct inode___67, __i_mtime)) {
        struct inode___67 *in = inode;

        *atime = INODE_TIME(__i_atime);
        *mtime = INODE_TIME(__i_mtime);
        *ctime = INODE_TIME(__i_ctime);
    } else if (bpf_core_field_exists(struct inode___66, __i_ctime)) {
        struct inode___66 *in = inode;

        *atime = INODE_TIME(i_atime);
        *mtime = INODE_TIME(i_mtime);
        *ctime = INODE_TIME(__i_ctime);
    } else {
        struct inode___pre66 *in = inode;

        *atime = INODE_TIME(i_atime);
        *mtime = INODE_TIME(i_mtime);
        *ctime = INODE_TIME(i_ctime);
    }
}

/* The registers that a task entered the kernel with lie at the end of its stack. The stack's size is
 * a build option; thread_union has it (KASAN doubles it). FRED kernels (6.9) keep 16 bytes above. */
union thread_union {
    unsigned long stack[1];
} KERNEL_TYPE;

#if defined(__TARGET_ARCH_x86)
struct thread_info {
    u32 status;
} KERNEL_TYPE;

struct task_struct___x86 {
    struct thread_info thread_info;
} KERNEL_TYPE;

struct pt_regs___x86 {
    unsigned long orig_ax;
} KERNEL_TYPE;

#define pt_regs___any pt_regs___x86
#define TS_COMPAT 2
#define KERNEL_STACK_SIZE 16384 /* without KASAN, where BTF has no thread_union (5.10) */
#define KERNEL_AUDIT_ARCH_X86_64 0xc000003e
#define KERNEL_AUDIT_ARCH_I386 0x40000003
#define SYSCALL_IO_URING_ENTER 426
#define SYSCALL_X32_BIT 0x40000000
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs___arm64 {
    s32 syscallno;
} KERNEL_TYPE;

#define pt_regs___any pt_regs___arm64
#define KERNEL_STACK_SIZE 16384 /* with pages of 4 KiB */
#define KERNEL_AUDIT_ARCH_AARCH64 0xc00000b7
#define SYSCALL_IO_URING_ENTER 426
#endif

/* Address of the registers, 0 if it cannot be known. bpf_task_pt_regs() is there since 5.15. */
static __always_inline u64 task_registers(struct task_struct *t)
{
    if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
        return (u64)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
#if defined(__TARGET_ARCH_x86) || defined(__TARGET_ARCH_arm64)
    u64 stack = (u64)BPF_CORE_READ(t, stack);
    u64 size = KERNEL_STACK_SIZE;

    if (bpf_core_type_exists(union thread_union))
        size = bpf_core_type_size(union thread_union);
    return stack + size - bpf_core_type_size(struct pt_regs___any);
#endif
    return 0;
}
