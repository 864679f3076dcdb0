/* SPDX-License-Identifier: MIT */
/*
 * The kernel's types, as far as they are read. Members are found by the running kernel's BTF (CO-RE),
 * so neither order nor size matters here, and the build needs no BTF of its own machine. Types that
 * changed their shape are in compat.h.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

#define KERNEL_TYPE __attribute__((preserve_access_index))

typedef struct {
    u32 val;
} KERNEL_TYPE kuid_t;

typedef struct {
    u32 val;
} KERNEL_TYPE kgid_t;

struct qstr {
    union {
        struct {
            u32 hash;
            u32 len;
        };
        u64 hash_len;
    };
    const unsigned char *name;
} KERNEL_TYPE;

struct hlist_node {
    struct hlist_node *next;
} KERNEL_TYPE;

struct hlist_head {
    struct hlist_node *first;
} KERNEL_TYPE;

struct super_block {
    u32 s_dev;
    unsigned long s_magic;
    struct dentry *s_root;
} KERNEL_TYPE;

typedef struct {
    int counter;
} KERNEL_TYPE atomic_t;

struct inode {
    u16 i_mode;
    kuid_t i_uid;
    kgid_t i_gid;
    u32 i_flags;
    struct super_block *i_sb;
    unsigned long i_ino;
    u32 i_nlink;
    s64 i_size;
    atomic_t i_writecount;
    struct hlist_head i_dentry;
} KERNEL_TYPE;

struct hlist_bl_node {
    struct hlist_bl_node **pprev;
} KERNEL_TYPE;

struct dentry {
    u32 d_flags;
    struct hlist_bl_node d_hash;
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
    struct super_block *d_sb;
} KERNEL_TYPE;

/* What one read of a dentry gives. */
struct name_at {
    u64 parent;
    u64 hash_len; /* in the upper half the length */
    u64 name;
};

/* They lie side by side in every kernel until now; if not, three reads. */
static __always_inline struct name_at name_at(struct dentry *d)
{
    struct name_at at = { 0 };
    u32 parent = bpf_core_field_offset(struct dentry, d_parent);

    if (bpf_core_field_offset(struct dentry, d_name) == parent + 8 &&
        bpf_core_field_offset(struct qstr, name) == 8) {
        bpf_probe_read_kernel(&at, sizeof(at), (void *)d + parent);
    } else {
        at.parent = (u64)BPF_CORE_READ(d, d_parent);
        at.hash_len = BPF_CORE_READ(d, d_name.hash_len);
        at.name = (u64)BPF_CORE_READ(d, d_name.name);
    }
    return at;
}

struct vfsmount {
    struct dentry *mnt_root;
    struct super_block *mnt_sb;
    int mnt_flags;
} KERNEL_TYPE;

#define MNT_READONLY 0x40 /* include/linux/mount.h */

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
    int mnt_id;
} KERNEL_TYPE;

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
} KERNEL_TYPE;

struct file {
    struct path f_path;
    struct inode *f_inode;
    u32 f_flags;
    u32 f_mode;
    s64 f_pos;
} KERNEL_TYPE;

/* fs/file_table.c: the file that an overlay opens in a layer. Since 6.8 its own path is the layer's. */
struct backing_file {
    struct path user_path; /* of the overlay's file */
} KERNEL_TYPE;

struct iattr {
    u32 ia_valid;
    u16 ia_mode;
    s64 ia_size;
    kuid_t ia_uid;
    kgid_t ia_gid;
} KERNEL_TYPE;

struct filename {
    const char *name;
} KERNEL_TYPE;

struct renamedata {
    struct dentry *old_dentry;
    struct dentry *new_dentry;
    u32 flags;
} KERNEL_TYPE;

struct open_flags {
    int open_flag;
    int acc_mode;
} KERNEL_TYPE;

struct vm_area_struct {
    struct mm_struct *vm_mm;
    struct vm_area_struct *vm_next; /* until 6.0 */
    struct file *vm_file;
    unsigned long vm_flags;
} KERNEL_TYPE;

struct linux_binprm {
    struct file *file;
    const char *filename; /* as the caller wrote it */
    const char *interp;   /* another string if it is a script: its interpreter's name */
} KERNEL_TYPE;

struct cred {
    kuid_t uid, euid, suid, fsuid;
    kgid_t gid, egid, sgid, fsgid;
} KERNEL_TYPE;

struct ns_common {
    u32 inum;
} KERNEL_TYPE;

struct mnt_namespace {
    struct ns_common ns;
} KERNEL_TYPE;

struct pid_namespace {
    struct ns_common ns;
    u32 level;
} KERNEL_TYPE;

struct nsproxy {
    struct mnt_namespace *mnt_ns;
    struct pid_namespace *pid_ns_for_children;
} KERNEL_TYPE;

struct tty_driver {
    int major;
    int minor_start;
} KERNEL_TYPE;

struct tty_struct {
    struct tty_driver *driver;
    int index;
    char name[64];
} KERNEL_TYPE;

struct upid {
    int nr;
    struct pid_namespace *ns;
} KERNEL_TYPE;

struct pid {
    u32 level;
    struct upid numbers[1];
} KERNEL_TYPE;

struct signal_struct {
    atomic_t live; /* threads that have not come to their end */
    struct tty_struct *tty;
} KERNEL_TYPE;

struct kernfs_node {
    const char *name;
    u64 id;
} KERNEL_TYPE;

struct cgroup {
    struct kernfs_node *kn;
    int level;
} KERNEL_TYPE;

struct cgroup_subsys_state {
    struct cgroup *cgroup;
} KERNEL_TYPE;

struct css_set {
    struct cgroup_subsys_state *subsys[16]; /* as many as the kernel was built with */
    struct cgroup *dfl_cgrp;
} KERNEL_TYPE;

struct mm_struct {
    struct vm_area_struct *mmap; /* the list of all, until 6.0 */
    unsigned long arg_start, arg_end;
    struct file *exe_file;
} KERNEL_TYPE;

struct fs_struct {
    struct path root, pwd;
} KERNEL_TYPE;

struct fdtable {
    u32 max_fds;
    struct file **fd;
} KERNEL_TYPE;

struct files_struct {
    struct fdtable *fdt;
} KERNEL_TYPE;

struct task_struct {
    u32 flags;
    int pid, tgid;
    u64 start_boottime;
    struct task_struct *real_parent;
    struct task_struct *group_leader;
    const struct cred *cred;
    const struct cred *real_cred;
    struct nsproxy *nsproxy;
    struct pid *thread_pid;
    struct signal_struct *signal;
    struct css_set *cgroups;
    struct mm_struct *mm;
    struct fs_struct *fs;
    struct files_struct *files;
    void *stack;
    char comm[16];
    u64 self_exec_id;
    u32 in_execve : 1;
} KERNEL_TYPE;

/* include/linux/sched.h */
#define PF_KTHREAD 0x00200000
#define PF_IO_WORKER 0x00000010

/* include/linux/fs.h */
#define FMODE_READ 0x1
#define FMODE_WRITE 0x2
#define FMODE_CREATED 0x100000
#define FMODE_BACKING 0x3000000  /* either of two bits: 25 came with 6.5, later it is 24, and 25 means something else */
#define FMODE_EXEC_FLAG 0x20     /* __FMODE_EXEC, in f_flags */
#define ATTR_MODE (1 << 0)
#define ATTR_UID (1 << 1)
#define ATTR_GID (1 << 2)
#define ATTR_SIZE (1 << 3)
#define ATTR_ATIME (1 << 4)
#define ATTR_MTIME (1 << 5)
#define ATTR_OPEN (1 << 15)
#define MAY_WRITE 2

#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFIFO 0010000
#define S_IFCHR 0020000
#define S_IFDIR 0040000
#define S_IFBLK 0060000
#define S_IFSOCK 0140000

#define O_CREAT 0100
#define O_TMPFILE_FLAG 020000000
#define O_ACCMODE 3
#define O_TRUNC 01000

#define OVERLAYFS_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994

#define PROT_WRITE 2
#define MAP_SHARED 1
#define MAP_TYPE 0xf
#define VM_SHARED 8

#define RENAME_EXCHANGE 2
#define RENAME_WHITEOUT 4
