/* SPDX-License-Identifier: MIT */
/*
 * Where the kernel asks. Each program is loaded as one of the security module bpf, or as one that replaces what the function
 * security_*() of the same name returns: sensor/bpf/guard_programs.c decides, and gives the positions of arguments, which differ
 * between the two. Not one hook of paths (security_path_*): kernels are built without them.
 */
#pragma once

#define GUARD_DENTRY(ctx, hook) ((struct dentry *)argument(ctx, guard_shapes[hook].first))
#define GUARD_SECOND(ctx, hook) argument(ctx, guard_shapes[hook].second)

static __always_inline int guard_one(struct dentry *d, u32 scope, u32 operation, u32 flags, u64 more)
{
    if (guard_holds(d, scope) && guard_refuses(number_of(d), operation, flags, more, number_of(d)))
        return -EPERM;
    return 0;
}

#define GUARD(name, hook, operation)                                                               \
    SEC("?lsm/" #hook) int guard_##name(u64 *ctx)                                                  \
    {                                                                                              \
        return guard_one((void *)ctx[1], GUARD_BELOW, operation, 0, 0);                            \
    }

GUARD(unlink, inode_unlink, OPERATION_UNLINK)
GUARD(rmdir, inode_rmdir, OPERATION_RMDIR)
GUARD(create, inode_create, OPERATION_CREATE)
GUARD(mkdir, inode_mkdir, OPERATION_MKDIR)
GUARD(mknod, inode_mknod, OPERATION_MKNOD)
GUARD(symlink, inode_symlink, OPERATION_SYMLINK)

SEC("?lsm/inode_rename") int guard_rename(u64 *ctx)
{
    struct dentry *from = (void *)ctx[1], *to = (void *)ctx[3];

    if (!guard_holds(from, GUARD_NAME) && !guard_holds(to, GUARD_NAME))
        return 0;
    return guard_refuses_two(number_of(to), number_of(from), OPERATION_RENAME) ? -EPERM : 0;
}

SEC("?lsm/inode_link") int guard_link(u64 *ctx)
{
    struct dentry *from = (void *)ctx[0], *to = (void *)ctx[2];

    if (!guard_holds(from, GUARD_BELOW) && !guard_holds(to, GUARD_BELOW))
        return 0;
    return guard_refuses_two(number_of(to), number_of(from), OPERATION_LINK) ? -EPERM : 0;
}

/* ---- attributes ---- */

SEC("?lsm/inode_setattr") int guard_setattr(u64 *ctx)
{
    struct dentry *d = GUARD_DENTRY(ctx, WIRE_GUARD_SETATTR);
    struct iattr *attr = (void *)GUARD_SECOND(ctx, WIRE_GUARD_SETATTR);
    u32 valid = attr->ia_valid, operation = OPERATION_UTIME;

    if (valid & (ATTR_UID | ATTR_GID))
        operation = OPERATION_CHOWN;
    if (valid & ATTR_MODE)
        operation = OPERATION_CHMOD;
    if (valid & ATTR_SIZE)
        operation = OPERATION_TRUNCATE;
    barrier_var(operation); /* else the compiler makes a copy of what follows for each */
    return guard_one(d, GUARD_FILE, operation, 0, valid);
}

#define GUARD_NAMED(name, lsm_hook, hook, operation)                                               \
    SEC("?lsm/" #lsm_hook) int guard_##name(u64 *ctx)                                              \
    {                                                                                              \
        return guard_one(GUARD_DENTRY(ctx, hook), GUARD_FILE, operation, 0, GUARD_SECOND(ctx, hook)); \
    }

GUARD_NAMED(setxattr, inode_setxattr, WIRE_GUARD_SETXATTR, OPERATION_SETXATTR)
GUARD_NAMED(removexattr, inode_removexattr, WIRE_GUARD_REMOVEXATTR, OPERATION_REMOVEXATTR)
GUARD_NAMED(set_acl, inode_set_acl, WIRE_GUARD_SET_ACL, OPERATION_SETACL)
GUARD_NAMED(remove_acl, inode_remove_acl, WIRE_GUARD_REMOVE_ACL, OPERATION_SETACL)

SEC("?lsm/inode_file_setattr") int guard_file_setattr(u64 *ctx)
{
    return guard_one(GUARD_DENTRY(ctx, WIRE_GUARD_FILE_SETATTR), GUARD_FILE, OPERATION_SETFLAGS, 0, 0);
}

/* ---- contents ---- */

static __always_inline int guard_file(struct file *f, u32 operation, u32 flags)
{
    struct dentry *d = f->f_path.dentry;

    return guard_holds(d, GUARD_FILE) && guard_refuses(number_of(d), operation, flags, 0, number_of(f)) ? -EPERM : 0;
}

/* Also to read only, with O_TRUNC: an overlay makes an empty copy of a lower file before anybody judges the truncation. */
SEC("?lsm/file_open") int guard_open(u64 *ctx)
{
    struct file *f = (void *)ctx[0];
    u32 flags = f->f_flags, operation = OPERATION_OPEN_WRITE;

    if (!super_watched(f->f_path.dentry->d_sb))
        return 0;
    if (!(f->f_mode & FMODE_WRITE)) {
        if (!(flags & O_TRUNC))
            return 0;
        operation = OPERATION_TRUNCATE;
    }
    barrier_var(operation);
    return guard_file(f, operation, operation == OPERATION_TRUNCATE        ? WIRE_AT_OPEN
                                    : (flags & O_TMPFILE_FLAG) == O_TMPFILE_FLAG ? WIRE_TMPFILE
                                                                           : 0);
}

/* Through descriptors that are older than the guard. */
SEC("?lsm/file_permission") int guard_permission(u64 *ctx)
{
    struct file *f = (void *)ctx[0];
    u32 mask = ctx[1];

    if (!guard_mode || !(mask & MAY_WRITE) || (f->f_inode->i_mode & S_IFMT) != S_IFREG)
        return 0;
    return guard_file(f, OPERATION_WRITE, WIRE_ANY_WRITE);
}

/* Looked at twice for whether there is one: newer verifiers ask for the first check, older ones take it out (guard.h). */
static __always_inline int guard_mapping(struct file *f)
{
    return f && number_of(f) && (f->f_mode & FMODE_WRITE) ? guard_file(f, OPERATION_OPEN_WRITE, WIRE_MAPPED) : 0;
}

SEC("?lsm/mmap_file") int guard_mmap(u64 *ctx)
{
    u64 protection = argument(ctx, guard_shapes[WIRE_GUARD_MMAP].first), flags = GUARD_SECOND(ctx, WIRE_GUARD_MMAP);

    if (!guard_mode || !(protection & PROT_WRITE) || (flags & MAP_TYPE & ~2ull) != MAP_SHARED)
        return 0;
    return guard_mapping((void *)ctx[0]);
}

SEC("?lsm/file_mprotect") int guard_mprotect(u64 *ctx)
{
    struct vm_area_struct *vma = (void *)ctx[0];

    if (!guard_mode || !(ctx[2] & PROT_WRITE) || !(vma->vm_flags & VM_SHARED))
        return 0;
    return guard_mapping(vma->vm_file);
}

/* include/uapi/linux/btrfs.h, fsverity.h, ext4's own */
#define BTRFS_IOC_SNAP_DESTROY 0x5000940f
#define BTRFS_IOC_SNAP_DESTROY_V2 0x5000943f
#define BTRFS_IOC_SUBVOL_SETFLAGS 0x4008941a
#define FS_IOC_ENABLE_VERITY 0x40806685

/* A subvolume goes by a call on the directory that it is in, and none of the other hooks is asked. */
static __always_inline int guard_command(struct file *f, u32 command)
{
    if (command == BTRFS_IOC_SNAP_DESTROY || command == BTRFS_IOC_SNAP_DESTROY_V2)
        return guard_one(f->f_path.dentry, GUARD_NAME, OPERATION_RMDIR, 0, 0);
    if (command != FS_IOC_SETFLAGS && command != FS_IOC32_SETFLAGS && command != FS_IOC_FSSETXATTR &&
        command != BTRFS_IOC_SUBVOL_SETFLAGS && command != FS_IOC_ENABLE_VERITY)
        return 0;
    return guard_file(f, OPERATION_SETFLAGS, 0);
}

SEC("?lsm/file_ioctl") int guard_ioctl(u64 *ctx)
{
    return guard_command((void *)ctx[0], ctx[1]);
}

SEC("?lsm/file_ioctl_compat") int guard_ioctl_compat(u64 *ctx)
{
    return guard_command((void *)ctx[0], ctx[1]);
}

/* ---- mounts ---- */

SEC("?lsm/sb_mount") int guard_mount(u64 *ctx)
{
    struct path *path = (void *)ctx[1];

    if (!guard_mode || (ctx[3] & MS_OTHER) || !is_guarded_space())
        return 0;
    return guard_one(path->dentry, GUARD_COVERING, OPERATION_MOUNT, 0, ctx[0]);
}

SEC("?lsm/move_mount") int guard_move(u64 *ctx)
{
    struct path *to = (void *)ctx[1];

    return guard_mode && is_guarded_space() ? guard_one(to->dentry, GUARD_COVERING, OPERATION_MOUNT, 0, 0) : 0;
}
