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

/*
 * A member that is loaded, not read by a helper: a fifth of the price. Only of pointers that the verifier knows:
 * a program's arguments, the current task, and what these lead to.
 */
#define LOAD(from, ...) ___arrow((from), __VA_ARGS__)

/* A known pointer as a number, for a global function: these take no other. Whoever may not leak pointers may not load
 * these programs. */
static __always_inline u64 number_of(const void *known)
{
    u64 n = (u64)known;

    asm volatile("%0 = -%0" : "+r"(n));
    asm volatile("%0 = -%0" : "+r"(n));
    return n;
}

/* The hash and length of a known dentry's name; NULL: 0. Two loads: the verifier finds no 8 bytes in that union. */
static __always_inline u64 name_hash(struct dentry *known)
{
    return known ? (u64)known->d_name.len << 32 | known->d_name.hash : 0;
}

/* The running task as such a pointer: since 5.11. */
#define CURRENT_IS_KNOWN bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

static __always_inline struct task_struct *current_known(void)
{
    return (void *)bpf_get_current_task_btf();
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
#define INODE_TIME(READ, ts) (READ(in, ts.tv_sec) * NSEC + READ(in, ts.tv_nsec))

#define DEFINE_INODE_TIMES(name, READ)                                                             \
    static __always_inline void name(void *inode, s64 *atime, s64 *mtime, s64 *ctime)              \
    {                                                                                              \
        *atime = *mtime = *ctime = 0;                                                              \
        if (bpf_core_field_exists(struct inode___since611, i_mtime_sec)) {                         \
            struct inode___since611 *in = inode;                                                   \
                                                                                                   \
            *atime = READ(in, i_atime_sec) * NSEC + READ(in, i_atime_nsec);                        \
            *mtime = READ(in, i_mtime_sec) * NSEC + READ(in, i_mtime_nsec);                        \
            *ctime = READ(in, i_ctime_sec) * NSEC + (READ(in, i_ctime_nsec) & NSEC_MASK);          \
        } else if (bpf_core_field_exists(struct inode___67, __i_mtime)) {                          \
            struct inode___67 *in = inode;                                                         \
                                                                                                   \
            *atime = INODE_TIME(READ, __i_atime);                                                  \
            *mtime = INODE_TIME(READ, __i_mtime);                                                  \
            *ctime = INODE_TIME(READ, __i_ctime);                                                  \
        } else if (bpf_core_field_exists(struct inode___66, __i_ctime)) {                          \
            struct inode___66 *in = inode;                                                         \
                                                                                                   \
            *atime = INODE_TIME(READ, i_atime);                                                    \
            *mtime = INODE_TIME(READ, i_mtime);                                                    \
            *ctime = INODE_TIME(READ, __i_ctime);                                                  \
        } else {                                                                                   \
            struct inode___pre66 *in = inode;                                                      \
                                                                                                   \
            *atime = INODE_TIME(READ, i_atime);                                                    \
            *mtime = INODE_TIME(READ, i_mtime);                                                    \
            *ctime = INODE_TIME(READ, i_ctime);                                                    \
        }                                                                                          \
    }

DEFINE_INODE_TIMES(inode_times, BPF_CORE_READ)
DEFINE_INODE_TIMES(inode_times_known, LOAD)

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
#define TASK_STATUS(READ, status, task)                                                            \
    do {                                                                                           \
        struct task_struct___x86 *x86 = (void *)(task);                                            \
                                                                                                   \
        if (bpf_core_field_exists(x86->thread_info))                                               \
            (status) = READ(x86, thread_info.status);                                              \
    } while (0)
#define TS_COMPAT 2
#define KERNEL_STACK_SIZE 16384 /* without KASAN, where BTF has no thread_union (5.10) */
#define KERNEL_AUDIT_ARCH_X86_64 0xc000003e
#define KERNEL_AUDIT_ARCH_I386 0x40000003
#define SYSCALL_IO_URING_ENTER 426
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs___arm64 {
    s32 syscallno;
} KERNEL_TYPE;

#define pt_regs___any pt_regs___arm64
#define TASK_STATUS(READ, status, task)
#define KERNEL_STACK_SIZE 16384 /* with pages of 4 KiB */
#define KERNEL_AUDIT_ARCH_AARCH64 0xc00000b7
#define SYSCALL_IO_URING_ENTER 426
#endif

/* Since 5.15 the kernel passes the registers, as a pointer that the verifier knows. */
#define REGISTERS_ARE_KNOWN bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)

/* Address of the registers, 0 if it cannot be known. */
static __always_inline u64 task_registers(struct task_struct *t)
{
    if (REGISTERS_ARE_KNOWN)
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

#if defined(__TARGET_ARCH_x86)
#define REGISTERS_SYSCALL(READ) (s32)READ((struct pt_regs___x86 *)regs, orig_ax)
#elif defined(__TARGET_ARCH_arm64)
#define REGISTERS_SYSCALL(READ) READ((struct pt_regs___arm64 *)regs, syscallno)
#else
#define REGISTERS_SYSCALL(READ) -1
#endif

static __always_inline s32 syscall_number(u64 regs)
{
    return REGISTERS_ARE_KNOWN ? REGISTERS_SYSCALL(LOAD) : REGISTERS_SYSCALL(BPF_CORE_READ);
}
