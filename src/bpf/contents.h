/* SPDX-License-Identifier: MIT */
/* Contents: files opened, written to and closed, mapped, shortened; opens that are refused. */
#pragma once

static __always_inline int opened_keep(u64 key, const struct wire_state *now)
{
    struct opened o = { .size = now->size, .mtime_ns = now->mtime_ns, .ctime_ns = now->ctime_ns };

    if (bpf_map_update_elem(&opened_files, &key, &o, BPF_NOEXIST) == 0)
        __sync_fetch_and_add(&opened_count, 1);
    else if (bpf_map_update_elem(&opened_files, &key, &o, BPF_EXIST) < 0)
        count_loss(WIRE_LOSS_PENDING);
    return 0;
}

/* The file that an overlay opens in a layer: until 6.7 it has the overlay's path. */
static __always_inline bool is_backing(struct file *f)
{
    return f->f_path.dentry->d_sb != f->f_inode->i_sb;
}

/* Since 6.8 what a mapping of an overlay's file holds is the file that the overlay opened in a layer: its name in the
 * overlay, by its own record of it. 0: it is none. */
static __always_inline u64 user_dentry(struct file *f)
{
    struct backing_file *backing = (void *)f;
    struct dentry *d;

    if (!bpf_core_field_exists(backing->user_path) || !(f->f_mode & FMODE_BACKING))
        return 0;
    d = BPF_CORE_READ(backing, user_path.dentry);
    return BPF_CORE_READ(d, d_sb, s_magic) == OVERLAYFS_MAGIC ? (u64)d : 0;
}

/* What is opened, and how: OPERATION_*, after a look. */
static __always_inline u32 open_operation(u32 mode, u32 flags, u32 kind)
{
    if ((mode & FMODE_WRITE) && (kind == S_IFREG || kind == S_IFBLK))
        return OPERATION_OPEN_WRITE;
    if (mode & FMODE_CREATED)
        return OPERATION_CREATE;
    if (flags & FMODE_EXEC_FLAG)
        return OPERATION_EXEC;
    return mode & FMODE_READ ? OPERATION_READ : OPERATION_NONE;
}

/* The layer's own name of a file that has the overlay's path. */
static __noinline struct scratch *look_backing(struct file *f)
{
    u64 id = bpf_get_current_pid_tgid();
    struct overlay_call *call = bpf_map_lookup_elem(&overlay_calls, &id);
    u64 first = (u64)BPF_CORE_READ(f, f_inode, i_dentry.first);

    if (!call || call->emitted || !first)
        return NULL;
    first = dentry_of_alias(first);
    return first ? look_any(first) : NULL;
}

/* include/uapi/linux/fs.h */
#define FS_IOC_SETFLAGS 0x40086602
#define FS_IOC32_SETFLAGS 0x40046602
#define FS_IOC_FSSETXATTR 0x401c5820

/* Before 5.13 each file system sets flags in its own ioctl(): the call itself is what all have in common. */
SEC("?fentry/security_file_ioctl") int flags_begin(u64 *ctx)
{
    struct file *f = (void *)ctx[0];
    u32 command = ctx[1];
    struct scratch *s;

    if (command != FS_IOC_SETFLAGS && command != FS_IOC32_SETFLAGS && command != FS_IOC_FSSETXATTR)
        return 0;
    if (is_backing(f)) {
        s = super_watched(f->f_inode->i_sb) ? look_backing(f) : NULL;
        if (!s || settle(OPERATION_SETFLAGS, BIT(OPERATION_SETFLAGS), 0) == OPERATION_NONE)
            return 0;
        STATE_BEFORE(s, state_load, f->f_inode);
    } else {
        s = begin_rare(f->f_path.dentry, OPERATION_SETFLAGS, BIT(OPERATION_SETFLAGS), 0);
        if (!s)
            return 0;
    }
    return keep(s, 0, SLOT_CALL);
}

SEC("?fexit/__x64_sys_ioctl") int flags_end(u64 *ctx)
{
    return end(0, SLOT_CALL, ctx[1]);
}

SEC("?fexit/__ia32_compat_sys_ioctl") int flags_compat_end(u64 *ctx)
{
    return end(0, SLOT_CALL, ctx[1]);
}

/* Set by user space: this kernel is older than 5.15. */
const volatile bool mappings_deny_writing = false;

/*
 * Before 5.15 a program that runs from an overlay's upper layer is refused to writers when the overlay opens the file
 * there, after permission was given. struct ovl_inode, of a module: the upper dentry follows its inode (5.8 to 7.2);
 * anything else that could be there is no dentry of another file system's file.
 */
static __noinline bool overlay_runs(u64 inode)
{
    struct inode *in = (void *)inode, *real;
    struct dentry *upper = NULL;

    bpf_probe_read_kernel(&upper, sizeof(upper), (void *)in + bpf_core_type_size(struct inode));
    if (!upper || BPF_CORE_READ(upper, d_sb) == BPF_CORE_READ(in, i_sb))
        return false;
    real = BPF_CORE_READ(upper, d_inode);
    return real && BPF_CORE_READ(real, i_sb) == BPF_CORE_READ(upper, d_sb) &&
           (BPF_CORE_READ(real, i_mode) & S_IFMT) == S_IFREG && BPF_CORE_READ(real, i_writecount.counter) < 0;
}

static __noinline int open_seen(u64 *ctx)
{
    struct file *f = (void *)ctx[0];
    struct dentry *d = f->f_path.dentry;
    s32 result = ctx[1];
    u32 mode = f->f_mode, flags = f->f_flags, kind, operation, more, mask;
    struct scratch *s = is_backing(f) ? look_backing(f) : look(d);

    if (!s && d->d_sb->s_magic != OVERLAYFS_MAGIC)
        return 0;
    kind = f->f_inode->i_mode & S_IFMT;
    operation = open_operation(mode, flags, kind);
    more = (mode & FMODE_CREATED ? WIRE_CREATED : 0) | (flags & O_TMPFILE_FLAG ? WIRE_TMPFILE : 0);
    mask = BIT(operation) | (mode & FMODE_CREATED ? BIT(OPERATION_CREATE) : 0);
    if (operation == OPERATION_NONE || (result < 0 && is_denied(0, number_of(f))))
        return 0;
    if (!s) {
        if (!is_backing(f))
            unwatched(d, operation, more);
        return 0;
    }
    if (found_nothing(s) || settle(operation, mask, more) == OPERATION_NONE)
        return 0;
    STATE_BEFORE(s, state_load, f->f_inode);
    if (mappings_deny_writing && result == 0 && operation == OPERATION_OPEN_WRITE &&
        d->d_sb->s_magic == OVERLAYFS_MAGIC && overlay_runs(number_of(d->d_inode)))
        result = -ETXTBSY;
    s->p.change.error = result < 0 ? -result : 0;
    s->p.frequent = !more;
    if (operation == OPERATION_OPEN_WRITE && result == 0)
        opened_keep((u64)f, &s->p.change.file);
    return record_emit();
}

static __always_inline int open_done_once(u64 *ctx)
{
    struct file *f = (void *)ctx[0];

    if (!(f->f_mode & (FMODE_WRITE | FMODE_CREATED)) &&
        !(wanted_operations & (BIT(OPERATION_READ) | BIT(OPERATION_EXEC))))
        return 0;
    return is_quiet(f->f_inode->i_sb) ? 0 : open_seen(ctx);
}

DUPLICATED("fexit/security_file_open", open_done, WIRE_DUPLICATED_OPEN, ctx[0])

static __always_inline void written_to(struct file *f, const struct opened *o)
{
    u64 user = user_dentry(f);
    struct scratch *s = look_any(user ? user : number_of(f->f_path.dentry));
    struct wire_state *after;

    if (!s)
        return;
    if (!decide(s, OPERATION_WRITE, 0, hits_of(s, 0) & BIT(OPERATION_WRITE)))
        return;
    STATE_BEFORE(s, state_load, f->f_inode);
    after = &s->p.change.after;
    state_load(after, f->f_inode);
    s->p.change.file.size = o->size;
    s->p.frequent = 1;
    if (after->size > o->size) {
        s->p.change.bytes = after->size - o->size;
        s->p.change.flags |= WIRE_BYTES;
    }
    record_emit();
}

static __noinline int close_seen(u64 *ctx)
{
    struct file *f = (void *)ctx[0];
    u64 key = (u64)f;
    struct opened *o;
    s64 times[3];

    if ((f->f_inode->i_mode & S_IFMT) != S_IFREG || (!super_watched(f->f_path.dentry->d_sb) && !user_dentry(f)))
        return 0;
    o = bpf_map_lookup_elem(&opened_files, &key);
    if (!o)
        return 0;
    inode_times_known(f->f_inode, &times[0], &times[1], &times[2]);
    /* an empty file whose times changed was touched; what was written and cut again is emitted as a truncation */
    if (f->f_inode->i_size != (s64)o->size || (f->f_inode->i_size && (times[1] != o->mtime_ns || o->written)))
        written_to(f, o);
    if (bpf_map_delete_elem(&opened_files, &key) == 0)
        __sync_fetch_and_add(&opened_count, -1);
    return 0;
}

static __always_inline int last_close_once(u64 *ctx)
{
    struct file *f = (void *)ctx[0];

    return opened_count && (f->f_mode & FMODE_WRITE) ? close_seen(ctx) : 0;
}

DUPLICATED("fentry/__fput", last_close, WIRE_DUPLICATED_CLOSE, ctx[0])

static __always_inline int mapped(struct file *f)
{
    struct scratch *s;

    if (!f || !(f->f_mode & FMODE_WRITE) || (f->f_inode->i_mode & S_IFMT) != S_IFREG || is_backing(f) ||
        guard_will_refuse(number_of(f->f_path.dentry)))
        return 0;
    s = begin_rare(f->f_path.dentry, OPERATION_OPEN_WRITE, BIT(OPERATION_OPEN_WRITE), WIRE_MAPPED);
    if (!s)
        return 0;
    s->p.frequent = 1;
    return record_emit();
}

static __always_inline int map_begin_once(u64 *ctx)
{
    if (!(ctx[1] & PROT_WRITE) || (ctx[2] & MAP_TYPE & ~2ull) != MAP_SHARED)
        return 0;
    return mapped((void *)ctx[0]);
}

DUPLICATED("fentry/security_mmap_file", map_begin, WIRE_DUPLICATED_MAP, ctx[0])

static __always_inline int protect_begin_once(u64 *ctx)
{
    struct vm_area_struct *vma = (void *)ctx[0];

    if (!(ctx[1] & PROT_WRITE) || !(vma->vm_flags & VM_SHARED))
        return 0;
    return mapped(vma->vm_file);
}

DUPLICATED("fentry/security_file_mprotect", protect_begin, WIRE_DUPLICATED_PROTECT, ctx[0])

/*
 * FUSE, NFS, CIFS: the times of a file are kept by whoever serves it, and the inode has the old ones until somebody asks. What was written
 * there is noted as it is. Attached while such a file system is watched: every read and write of every descriptor pays for it.
 */
SEC("?fentry/security_file_permission") int served_write(u64 *ctx)
{
    struct file *f = (void *)ctx[0];
    u64 key = (u64)f;
    struct opened *o;

    if (!(ctx[1] & MAY_WRITE) || !opened_count || !(f->f_inode->i_flags & WIRE_INODE_NOCMTIME))
        return 0;
    o = bpf_map_lookup_elem(&opened_files, &key);
    if (o)
        o->written = 1;
    return 0;
}

/* Attached on demand only: every read and write of every descriptor pays for it. */
static __always_inline int wrote(struct file *f)
{
    u64 now, *last;
    struct write_key key;
    struct scratch *s;

    if (!super_watched(f->f_path.dentry->d_sb) || (f->f_inode->i_mode & S_IFMT) != S_IFREG || is_backing(f) ||
        guard_will_refuse(number_of(f->f_path.dentry)))
        return 0;
    now = bpf_ktime_get_boot_ns();
    key.inode = (u64)f->f_inode;
    key.process = bpf_get_current_pid_tgid() >> 32;
    last = bpf_map_lookup_elem(&written, &key);
    if (last && now - *last < WRITE_INTERVAL_NS)
        return 0;
    s = begin(f->f_path.dentry, OPERATION_WRITE, BIT(OPERATION_WRITE), WIRE_ANY_WRITE);
    if (!s)
        return 0;
    bpf_map_update_elem(&written, &key, &now, BPF_ANY);
    s->p.frequent = 1;
    return record_emit();
}

SEC("?fentry/security_file_permission") int write_begin(u64 *ctx)
{
    return ctx[1] & MAY_WRITE ? wrote((void *)ctx[0]) : 0;
}

SEC("?fentry/file_update_time") int dirty_begin(u64 *ctx)
{
    return wrote((void *)ctx[0]);
}

SEC("?fexit/vfs_truncate") int truncate_end(u64 *ctx)
{
    struct path *path = (void *)ctx[0];
    s32 result = ctx[2];
    u64 id = bpf_get_current_pid_tgid();
    struct scratch *s;
    u32 *emitted;

    if (result >= 0)
        return 0;
    emitted = bpf_map_lookup_elem(&refusals, &id);
    if (emitted && *emitted == OPERATION_TRUNCATE) {
        bpf_map_delete_elem(&refusals, &id);
        return 0;
    }
    if (is_denied(0, number_of(path->dentry)))
        return 0;
    s = begin_rare(path->dentry, OPERATION_TRUNCATE, BIT(OPERATION_TRUNCATE), 0);
    if (!s)
        return 0;
    s->p.change.error = -result;
    return record_emit();
}

#define MAY_EXEC 1

static __always_inline int open_refused(struct dentry *d, u32 operation, s32 error)
{
    struct scratch *s;

    barrier_var(operation); /* else the compiler makes one copy of what follows for each value */
    if (!(wanted_operations & BIT(operation)))
        return 0;
    s = begin_rare(d, operation, BIT(operation), 0);
    if (!s)
        return 0;
    s->p.change.error = error;
    s->p.frequent = 1;
    return record_emit();
}

/* Refused a moment later, by do_dentry_open(): a special file is written to on a read-only mount too. */
static __always_inline s32 will_refuse_writing(struct path *path)
{
    struct inode *in = path->dentry->d_inode;
    u32 kind = in->i_mode & S_IFMT;

    if (kind == S_IFCHR || kind == S_IFBLK || kind == S_IFIFO || kind == S_IFSOCK)
        return 0;
    if (in->i_writecount.counter < 0)
        return ETXTBSY;
    return path->mnt->mnt_flags & MNT_READONLY ? EROFS : 0;
}

static __noinline int open_permitted(u64 *ctx)
{
    struct path *path = (void *)argument(ctx, shapes[WIRE_HOOK_MAY_OPEN].dentry);
    s32 error = -(s32)RESULT(ctx, WIRE_HOOK_MAY_OPEN);
    u32 mode = SECOND(ctx, WIRE_HOOK_MAY_OPEN), operation;

    if (!error && (argument(ctx, shapes[WIRE_HOOK_MAY_OPEN].second + 1) & O_ACCMODE))
        error = will_refuse_writing(path);
    if (error != EACCES && error != EPERM && error != EROFS && error != ETXTBSY)
        return 0;
    operation = mode & MAY_WRITE ? OPERATION_OPEN_WRITE : mode & MAY_EXEC ? OPERATION_EXEC : OPERATION_READ;
    return open_refused(path->dentry, operation, error);
}

/*
 * By the file's mode, owner, ACL or flags: the security module is not asked any more. Nor is it when the mount is
 * read-only or the file is being executed, which is looked at right after this, and known here: a program on that
 * function, too, would be paid for by every open.
 */
static __always_inline int permission_end_once(u64 *ctx)
{
    bool refused = (s32)RESULT(ctx, WIRE_HOOK_MAY_OPEN) != 0;

    return refused || (SECOND(ctx, WIRE_HOOK_MAY_OPEN) & MAY_WRITE) ? open_permitted(ctx) : 0;
}

DUPLICATED("fexit/may_open", permission_end, WIRE_DUPLICATED_PERMISSION, argument(ctx, shapes[WIRE_HOOK_MAY_OPEN].dentry))
