/* SPDX-License-Identifier: MIT */
/* What is mounted over watched files, or over the directories that hold them, and unmounted again. */
#pragma once

#define MS_REMOUNT 32
#define MS_UNBINDABLE (1 << 17)
#define MS_PRIVATE (1 << 18)
#define MS_SLAVE (1 << 19)
#define MS_SHARED (1 << 20)
/* none of these covers anything */
#define MS_OTHER (MS_REMOUNT | MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED)

static __always_inline struct scratch *begin_mount(struct dentry *d)
{
    struct scratch *s;

    if (!super_watched(d->d_sb) && !super_above(d->d_sb))
        return NULL;
    s = look_any(number_of(d));
    if (!s || settle(OPERATION_MOUNT, BIT(OPERATION_MOUNT), 0) == OPERATION_NONE)
        return NULL;
    STATE_BEFORE(s, state_load, d->d_inode);
    return s;
}

SEC("?fentry/security_sb_mount") int mount_begin(u64 *ctx)
{
    struct path *path = (void *)ctx[1];
    struct scratch *s;

    if (ctx[3] & MS_OTHER)
        return 0;
    s = begin_mount(path->dentry);
    if (!s)
        return 0;
    s->p.text = ctx[0];
    return keep(s, (u64)path, SLOT_PLAIN);
}

SEC("?fexit/path_mount") int mount_end(u64 *ctx)
{
    return end(ctx[1], SLOT_PLAIN, ctx[5]);
}

SEC("?fentry/security_move_mount") int move_begin(u64 *ctx)
{
    struct path *to = (void *)ctx[1];
    struct scratch *s = begin_mount(to->dentry);

    return s ? keep(s, 0, SLOT_CALL) : 0;
}

/* do_move_mount(), or the system call itself where that is inlined. */
SEC("?fexit/do_move_mount") int move_end(u64 *ctx)
{
    return end(0, SLOT_CALL, RESULT(ctx, WIRE_HOOK_MOVE_MOUNT));
}

SEC("?fexit/__ia32_sys_move_mount") int move_compat_end(u64 *ctx)
{
    return end(0, SLOT_CALL, ctx[1]);
}

SEC("?fentry/security_sb_umount") int unmount_begin(u64 *ctx)
{
    struct mount *m = mount_of((struct vfsmount *)ctx[0]);
    struct dentry *d = BPF_CORE_READ(m, mnt_mountpoint), *parent = BPF_CORE_READ(d, d_parent);
    struct super_block *sb = BPF_CORE_READ(d, d_sb);
    u32 device = BPF_CORE_READ(sb, s_dev);
    struct scratch *s;

    if (!device_watched(device) && !filter_has(WIRE_FILTER_ABOVE(device)))
        return 0;
    s = look_any((u64)d);
    if (!s || settle(OPERATION_UNMOUNT, BIT(OPERATION_UNMOUNT), 0) == OPERATION_NONE)
        return 0;
    STATE_BEFORE(s, state_read, BPF_CORE_READ(d, d_inode));
    /* afterwards the mount point is not the mount's any more */
    s->p.named = 1;
    s->p.parent = (u64)parent;
    save_name(s->n.name, d);
    return keep(s, ctx[0], SLOT_PLAIN);
}

SEC("?fexit/path_umount") int unmount_end(u64 *ctx)
{
    struct path *path = (void *)ctx[0];

    return end((u64)path->mnt, SLOT_PLAIN, ctx[2]);
}
