/* SPDX-License-Identifier: MIT */
/*
 * Changes of watched files. An operation is begun at a function that sees it before it is permitted or
 * refused, and ended where its result is known. Which of the programs are loaded, and where arguments
 * lie, is decided by user space from the kernel's BTF (sensor/bpf/programs.c).
 */
#include "bpf/duplicated.h"
#include "bpf/fold.h"
#include "bpf/hits.h"
#include "bpf/pending.h"
#include "bpf/query.h"
#include "wire/hooks.h"

const volatile struct wire_hook_shape shapes[WIRE_HOOK_COUNT];

#define BIT(operation) (1u << (operation))

/* include/uapi/asm-generic/errno-base.h */
#define EACCES 13
#define EPERM 1
#define EROFS 30
#define ETXTBSY 26

/* A file opened for writing by a change that was emitted: what it was then. Deleted at its last close. When
 * full, the end of a write is not emitted: counted. */
struct opened {
    u64 size;
    s64 mtime_ns, ctime_ns;
    u64 written; /* was asked to be: known only of file systems whose times are not kept here */
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 32768);
    __type(key, u64);
    __type(value, struct opened);
} opened_files SEC(".maps");

__u64 opened_count; /* entries of it: while nothing that is watched is open, a last close need not look for one */

/* Each single write: who wrote what when last. Evicted: emitted once more. */
struct write_key {
    u64 inode;
    u64 process;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, struct write_key);
    __type(value, u64);
} written SEC(".maps");

#define WRITE_INTERVAL_NS 1000000000ull

/* An argument by its number, which is a constant to the verifier. In assembler, because the compiler
 * would make one load from a computed place of it, which the verifier refuses. */
#define LOAD_ARGUMENT(i)                                                                           \
    if (n == (i))                                                                                  \
        asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(value) : "r"(ctx), "i"((i)*8))

static __always_inline u64 argument(u64 *ctx, u8 n)
{
    u64 value = 0;

    LOAD_ARGUMENT(0);
    LOAD_ARGUMENT(1);
    LOAD_ARGUMENT(2);
    LOAD_ARGUMENT(3);
    LOAD_ARGUMENT(4);
    LOAD_ARGUMENT(5);
    LOAD_ARGUMENT(6);
    LOAD_ARGUMENT(7);
    return value;
}

#define DENTRY(ctx, hook) ((struct dentry *)argument(ctx, shapes[hook].dentry))
#define SECOND(ctx, hook) argument(ctx, shapes[hook].second)
#define RESULT(ctx, hook) argument(ctx, shapes[hook].count)
/* As end(). A macro, because arguments are read where they are written: not before there is something to end. */
#define END_OF(ctx, hook, slot) (pending_count ? end_kept(DENTRY(ctx, hook), slot, RESULT(ctx, hook)) : 0)

static __always_inline struct scratch *start(struct dentry *d)
{
    u64 task = bpf_get_current_pid_tgid();
    struct scratch *s = scratch_of(task);

    if (!s)
        return NULL;
    s->task = task;
    s->who = bpf_get_current_task();
    s->match.found_count = 0;
    s->match.deep = 0;
    s->p.change.hit_count = 0;
    s->p.dentry = (u64)d;
    return s;
}

/*
 * Fill the scratch's `p` for what begins at its dentry, if it is to be emitted: all but the file's state, which its
 * caller reads. Returns the operation, OPERATION_NONE if not. asked: somebody asks for it there.
 */
static __noinline u32 decide(struct scratch *s, u32 operation, u32 flags, u32 asked)
{
    struct task_struct *t;
    struct dentry *d;
    bool emitted, inner;
    u32 as = operation;

    if (!s)
        return OPERATION_NONE;
    t = (void *)s->who;
    inner = is_inner(t);
    d = (void *)s->p.dentry;
    emitted = asked || s->match.deep;
    if (self_tgid == (u32)((u64)t == bpf_get_current_task() ? s->task >> 32 : BPF_CORE_READ(t, tgid)))
        emitted = false;
    if (!inner && s->match.magic == OVERLAYFS_MAGIC)
        overlay_remember(d, operation, emitted, flags & WIRE_CREATED);
    if (!emitted)
        return OPERATION_NONE;
    change_fill(&s->p.change, operation, flags, t);
    if (s->match.deep)
        s->p.change.flags |= WIRE_DEEP;
    s->p.change.super = s->match.magic;
    if (inner) {
        s->p.change.flags |= WIRE_INNER;
        if (!(BPF_CORE_READ(t, flags) & PF_KTHREAD))
            as = fold_inner(&s->p.change, d, operation);
        s->p.change.operation = as;
        if (as == OPERATION_NONE)
            return as;
    }
    if (as == OPERATION_MKDIR || as == OPERATION_RENAME || as == OPERATION_SYMLINK || as == OPERATION_MOUNT)
        (void)open_names();
    s->p.other = 0;
    s->p.text = 0;
    s->p.named = 0;
    s->p.frequent = 0;
    return as;
}

/* The file's state before the change, unless the overlay's observation of the change has it. */
#define STATE_BEFORE(s, read, inode)                                                               \
    do {                                                                                           \
        if (!(s)->p.change.file.known)                                                             \
            read(&(s)->p.change.file, inode);                                                      \
    } while (0)

static __always_inline struct scratch *look_start(struct dentry *leaf)
{
    struct scratch *s = start(leaf);

    if (s)
        match_begin(leaf, &s->match);
    return s;
}

/*
 * If the dentry is on a file system with watches, look for them from it upwards, as match_walk(). NULL: there is
 * nothing that anybody could ask for. Most changes end here, so memory is fetched only once something is met.
 */
static __always_inline struct scratch *look(struct dentry *leaf)
{
    struct scratch *s = NULL;
    struct dentry *d = leaf, *below = NULL;
    bool whole = false;
    u32 device;

    if (!super_watched(leaf->d_sb))
        return NULL;
    device = leaf->d_sb->s_dev;
    for (int i = 0; i < WALK_KNOWN; i++) {
        struct inode *in = d->d_inode;
        struct dentry *parent;

        if (in && filter_has(WIRE_FILTER_INODE(device, in->i_ino)) &&
            !match_passed(number_of(in), number_of(below), name_hash(below), i)) {
            if (!s)
                s = look_start(leaf);
            if (!s || match_stop(&s->match, (u64)in, (u64)below, i))
                return s;
        }
        parent = d->d_parent;
        if (parent == d) {
            whole = true;
            break;
        }
        below = d;
        d = parent;
    }
    if (!s && (!whole || links_watched || leaf->d_sb->s_magic == OVERLAYFS_MAGIC))
        s = look_start(leaf);
    if (s && !whole) {
        s->match.device = device;
        s->match.at = (u64)d;
        s->match.below = (u64)below;
        (void)walk_from(WALK_KNOWN);
    }
    return s;
}

/* After a look: is there nothing that anybody could ask for? */
static __always_inline bool found_nothing(struct scratch *s)
{
    return !s->match.found_count && !s->match.deep && !links_watched && s->match.magic != OVERLAYFS_MAGIC &&
           !is_disturbed(s);
}

/*
 * After a look: what is it that was found, and is this asked for? As decide(). A global function without
 * pointers: the verifier looks at it once, not once a caller and state.
 */
__noinline int settle(u32 operation, u32 mask, u32 flags)
{
    struct scratch *s = scratch_get();
    struct dentry *d;
    u32 wanted;

    if (!s)
        return OPERATION_NONE;
    if (is_disturbed(s)) {
        count_loss(WIRE_LOSS_SCRATCH);
        return OPERATION_NONE;
    }
    d = (void *)s->p.dentry;
    wanted = hits_of(s, 0);
    if (!s->p.change.hit_count && links_watched)
        wanted = match_link(&s->p.change, BPF_CORE_READ(d, d_inode), 0);
    if (!wanted && !s->match.deep && s->match.magic != OVERLAYFS_MAGIC)
        return OPERATION_NONE;
    return decide(s, operation, flags, wanted & mask);
}

/* An overlay that nobody watches was asked to do something: its layers may be watched. */
static __always_inline void unwatched(struct dentry *d, u32 operation, u32 flags)
{
    if (d->d_sb->s_magic == OVERLAYFS_MAGIC && !is_inner((void *)bpf_get_current_task()))
        overlay_remember(d, operation, 0, flags & WIRE_CREATED);
}

/* Is there nothing to be seen on this file system? An overlay that nobody watches has layers that may be watched. */
static __always_inline bool is_quiet(struct super_block *sb)
{
    return !super_watched(sb) && sb->s_magic != OVERLAYFS_MAGIC;
}

/* What most calls of a program need not do is a function of its own, here and below: else they all pay for its frame. */
static __noinline struct scratch *begin_seen(struct dentry *d, u32 operation, u32 mask, u32 flags)
{
    struct scratch *s = look(d);

    if (!s) {
        unwatched(d, operation, flags);
        return NULL;
    }
    if (found_nothing(s) || settle(operation, mask, flags) == OPERATION_NONE)
        return NULL;
    STATE_BEFORE(s, state_load, d->d_inode);
    return s;
}

/* As look(), for a dentry that the verifier does not know. */
static __always_inline struct scratch *look_any(u64 dentry)
{
    struct scratch *s = start((void *)dentry);

    if (s)
        match_walk_any(dentry);
    return s;
}

/* As begin_seen(). The walk is slower, and the verifier has much less to look at. Returns whether somebody asked. */
__noinline int begin_rare_seen(u64 dentry, u32 operation, u32 mask, u32 flags)
{
    struct scratch *s = look_any(dentry);
    struct dentry *d = (void *)dentry;

    if (!s || found_nothing(s) || settle(operation, mask, flags) == OPERATION_NONE)
        return 0;
    STATE_BEFORE(s, state_read, BPF_CORE_READ(d, d_inode));
    return 1;
}

/* What is done often: one dentry. NULL: nobody asked. */
static __always_inline struct scratch *begin(struct dentry *d, u32 operation, u32 mask, u32 flags)
{
    return is_quiet(d->d_sb) ? NULL : begin_seen(d, operation, mask, flags);
}

/* The same of what is done seldom, which is most of what there is. */
static __always_inline struct scratch *begin_rare(struct dentry *d, u32 operation, u32 mask, u32 flags)
{
    return !is_quiet(d->d_sb) && begin_rare_seen(number_of(d), operation, mask, flags) ? scratch_get() : NULL;
}

/* ---- names ---- */

#define BEGIN_END(name, function, hook, begin, operation, flags)                                   \
    SEC("?fentry/" #function) int name##_begin(u64 *ctx)                                           \
    {                                                                                              \
        struct dentry *d = DENTRY(ctx, hook);                                                      \
        struct scratch *s = begin(d, operation, BIT(operation), flags);                            \
                                                                                                   \
        return s ? keep(s, (u64)d, SLOT_PLAIN) : 0;                                                \
    }                                                                                              \
    SEC("?fexit/" #function) int name##_end(u64 *ctx)                                              \
    {                                                                                              \
        return END_OF(ctx, hook, SLOT_PLAIN);                                                      \
    }

static __always_inline int unlink_begin_once(u64 *ctx)
{
    struct dentry *d = DENTRY(ctx, WIRE_HOOK_VFS_UNLINK);
    struct scratch *s = begin(d, OPERATION_UNLINK, BIT(OPERATION_UNLINK), 0);

    return s ? keep(s, (u64)d, SLOT_PLAIN) : 0;
}

static __always_inline int unlink_end_once(u64 *ctx)
{
    return END_OF(ctx, WIRE_HOOK_VFS_UNLINK, SLOT_PLAIN);
}

#define UNLINKED argument(ctx, shapes[WIRE_HOOK_VFS_UNLINK].dentry)
DUPLICATED("fentry/vfs_unlink", unlink_begin, WIRE_DUPLICATED_UNLINK_BEGIN, UNLINKED)
DUPLICATED("fexit/vfs_unlink", unlink_end, WIRE_DUPLICATED_UNLINK_END, UNLINKED)

BEGIN_END(rmdir, vfs_rmdir, WIRE_HOOK_VFS_RMDIR, begin, OPERATION_RMDIR, 0)
BEGIN_END(mknod, vfs_mknod, WIRE_HOOK_VFS_MKNOD, begin_rare, OPERATION_MKNOD, 0)

SEC("?fentry/vfs_mkdir") int mkdir_begin(u64 *ctx)
{
    struct dentry *d = DENTRY(ctx, WIRE_HOOK_VFS_MKDIR);
    struct scratch *s = begin_rare(d, OPERATION_MKDIR, BIT(OPERATION_MKDIR), 0);

    return s ? keep(s, (u64)d, SLOT_PLAIN) : 0;
}

SEC("?fexit/vfs_mkdir") int mkdir_end(u64 *ctx)
{
    u64 d = argument(ctx, shapes[WIRE_HOOK_VFS_MKDIR].dentry);
    s64 result = 0;

    /* Since 6.15 it returns a dentry (c54b386969a5), or an error in its place. Read as bytes: the
     * verifier does not let a pointer be compared with numbers. */
    bpf_probe_read_kernel(&result, sizeof(result), ctx + shapes[WIRE_HOOK_VFS_MKDIR].count);
    if (shapes[WIRE_HOOK_VFS_MKDIR].kind && (u64)result < (u64)-4095)
        result = 0;
    return end(d, SLOT_PLAIN, result);
}

/* rmdir(2) of 5.10: vfs_rmdir is inlined into do_rmdir */
SEC("?fentry/security_path_rmdir") int rmdir_path_begin(u64 *ctx)
{
    struct dentry *d = (void *)ctx[1];
    struct scratch *s = begin(d, OPERATION_RMDIR, BIT(OPERATION_RMDIR), 0);

    return s ? keep(s, 0, SLOT_CALL) : 0;
}

SEC("?fexit/do_rmdir") int rmdir_call_end(u64 *ctx)
{
    return end(0, SLOT_CALL, ctx[2]);
}

SEC("?fentry/vfs_symlink") int symlink_begin(u64 *ctx)
{
    struct dentry *d = DENTRY(ctx, WIRE_HOOK_VFS_SYMLINK);
    struct scratch *s = begin_rare(d, OPERATION_SYMLINK, BIT(OPERATION_SYMLINK), 0);

    if (!s)
        return 0;
    s->p.text = SECOND(ctx, WIRE_HOOK_VFS_SYMLINK);
    return keep(s, (u64)d, SLOT_PLAIN);
}

SEC("?fexit/vfs_symlink") int symlink_end(u64 *ctx)
{
    return end(argument(ctx, shapes[WIRE_HOOK_VFS_SYMLINK].dentry), SLOT_PLAIN,
               RESULT(ctx, WIRE_HOOK_VFS_SYMLINK));
}

static __always_inline void save_name(u8 *to, struct dentry *d)
{
    bpf_probe_read_kernel_str(to, NAME_SIZE, BPF_CORE_READ(d, d_name.name));
}

/* Two dentries: path 0 is where it is to be, path 1 where it is. Names as they are now: after a
 * rename the dentries have other ones. */
static __always_inline struct scratch *begin_two(struct dentry *to, struct dentry *from,
                                                 u32 operation, u32 flags)
{
    struct scratch *s = NULL;
    u32 wanted;

    /* a directory on the way to a watched path may lie on a file system without a watch */
    if (super_watched(to->d_sb) || super_above(to->d_sb))
        s = start(to);
    if (s)
        match_walk(to, &s->match);
    if (!s) {
        unwatched(to, operation, 0);
        return NULL;
    }
    wanted = hits_of(s, 0);
    s->match.found_count = 0;
    match_walk(from, &s->match);
    wanted |= hits_of(s, 1);
    if (links_watched && !s->p.change.hit_count) {
        wanted |= match_link(&s->p.change, from->d_inode, 1);
        wanted |= match_link(&s->p.change, to->d_inode, 0);
    }
    if (!wanted && !s->match.deep && to->d_sb->s_magic != OVERLAYFS_MAGIC)
        return NULL;
    wanted &= BIT(operation) | BIT(OPERATION_REPLACE);
    if (decide(s, operation, flags, wanted) == OPERATION_NONE)
        return NULL;
    STATE_BEFORE(s, state_load, to->d_inode);
    s->p.named = 1;
    s->p.other = (u64)from;
    s->p.parent = (u64)to->d_parent;
    s->p.other_parent = (u64)from->d_parent;
    save_name(s->n.name, to);
    save_name(s->n.other, from);
    if (s->p.change.operation == OPERATION_RENAME || s->p.change.operation == OPERATION_LINK) {
        s->p.change.other = s->p.change.file; /* what was at the new name */
        if (s->p.change.other.known)
            s->p.change.flags |= WIRE_REPLACED;
        state_clear(&s->p.change.file);
        state_load(&s->p.change.file, from->d_inode);
    } else {
        s->p.other = 0; /* a whiteout's rename: the delete of this name */
        s->p.named = 0;
    }
    return s;
}

static __always_inline u32 rename_flags(u32 flags)
{
    return (flags & RENAME_EXCHANGE ? WIRE_EXCHANGE : 0) |
           (flags & RENAME_WHITEOUT ? WIRE_WHITEOUT : 0);
}

static __always_inline int rename_begin_once(u64 *ctx)
{
    struct scratch *s;
    struct dentry *from, *to;
    u32 flags;

    if (shapes[WIRE_HOOK_VFS_RENAME].kind) { /* since 5.12, 9fe61450972d */
        struct renamedata *rd = (void *)argument(ctx, 0);

        from = rd->old_dentry;
        to = rd->new_dentry;
        flags = rd->flags;
    } else {
        from = (void *)argument(ctx, 1);
        to = (void *)argument(ctx, 3);
        flags = argument(ctx, 5);
    }
    if (from->d_inode == to->d_inode) /* two links of one file: nothing is done, and called a success */
        return 0;
    s = begin_two(to, from, OPERATION_RENAME, rename_flags(flags));
    return s ? keep(s, (u64)from, SLOT_PLAIN) : 0;
}

static __always_inline int rename_end_once(u64 *ctx)
{
    u64 from;

    if (!pending_count)
        return 0;
    if (shapes[WIRE_HOOK_VFS_RENAME].kind) {
        struct renamedata *rd = (void *)argument(ctx, 0);

        from = (u64)BPF_CORE_READ(rd, old_dentry);
    } else {
        from = argument(ctx, 1);
    }
    return end(from, SLOT_PLAIN, RESULT(ctx, WIRE_HOOK_VFS_RENAME));
}

DUPLICATED("fentry/vfs_rename", rename_begin, WIRE_DUPLICATED_RENAME_BEGIN, ctx[0])
DUPLICATED("fexit/vfs_rename", rename_end, WIRE_DUPLICATED_RENAME_END, ctx[0])

SEC("?fentry/vfs_link") int link_begin(u64 *ctx)
{
    struct dentry *from = DENTRY(ctx, WIRE_HOOK_VFS_LINK);
    struct dentry *to = (void *)SECOND(ctx, WIRE_HOOK_VFS_LINK);
    struct scratch *s = begin_two(to, from, OPERATION_LINK, 0);

    return s ? keep(s, (u64)to, SLOT_PLAIN) : 0;
}

SEC("?fexit/vfs_link") int link_end(u64 *ctx)
{
    return end(SECOND(ctx, WIRE_HOOK_VFS_LINK), SLOT_PLAIN, RESULT(ctx, WIRE_HOOK_VFS_LINK));
}

/* ---- attributes ---- */

static __always_inline int setattr_begin_once(u64 *ctx)
{
    struct dentry *d = DENTRY(ctx, WIRE_HOOK_NOTIFY_CHANGE);
    struct iattr *attr = (void *)SECOND(ctx, WIRE_HOOK_NOTIFY_CHANGE);
    u32 valid = attr->ia_valid, mask = 0, operation = OPERATION_UTIME;
    struct scratch *s = look(d);

    if (valid & (ATTR_ATIME | ATTR_MTIME))
        mask = BIT(OPERATION_UTIME);
    if (valid & (ATTR_UID | ATTR_GID))
        mask = BIT(OPERATION_CHOWN), operation = OPERATION_CHOWN;
    if (valid & ATTR_MODE)
        mask |= BIT(OPERATION_CHMOD), operation = OPERATION_CHMOD;
    if (valid & ATTR_SIZE)
        mask |= BIT(OPERATION_TRUNCATE), operation = OPERATION_TRUNCATE;
    if (!mask)
        return 0;
    if (!s) {
        unwatched(d, operation, 0);
        return 0;
    }
    if (found_nothing(s) || settle(operation, mask, valid & ATTR_OPEN ? WIRE_AT_OPEN : 0) == OPERATION_NONE)
        return 0;
    STATE_BEFORE(s, state_load, d->d_inode);
    s->p.change.valid = valid;
    s->p.change.bytes = attr->ia_size;
    return keep(s, (u64)d, SLOT_PLAIN);
}

static __always_inline int setattr_end_once(u64 *ctx)
{
    return END_OF(ctx, WIRE_HOOK_NOTIFY_CHANGE, SLOT_PLAIN);
}

#define CHANGED argument(ctx, shapes[WIRE_HOOK_NOTIFY_CHANGE].dentry)
DUPLICATED("fentry/notify_change", setattr_begin, WIRE_DUPLICATED_SETATTR_BEGIN, CHANGED)
DUPLICATED("fexit/notify_change", setattr_end, WIRE_DUPLICATED_SETATTR_END, CHANGED)

#define ATTRIBUTE(name, function, hook, operation)                                                 \
    SEC("?fentry/" #function) int name##_begin(u64 *ctx)                                           \
    {                                                                                              \
        struct dentry *d = DENTRY(ctx, hook);                                                      \
        struct scratch *s = begin_rare(d, operation, BIT(operation) | BIT(OPERATION_SETACL), 0);   \
                                                                                                   \
        if (!s)                                                                                    \
            return 0;                                                                              \
        s->p.text = SECOND(ctx, hook);                                                             \
        return keep(s, (u64)d, SLOT_ATTRIBUTE);                                                    \
    }                                                                                              \
    SEC("?fexit/" #function) int name##_end(u64 *ctx)                                              \
    {                                                                                              \
        return END_OF(ctx, hook, SLOT_ATTRIBUTE);                                                  \
    }

ATTRIBUTE(setxattr, vfs_setxattr, WIRE_HOOK_VFS_SETXATTR, OPERATION_SETXATTR)
ATTRIBUTE(removexattr, vfs_removexattr, WIRE_HOOK_VFS_REMOVEXATTR, OPERATION_REMOVEXATTR)
ATTRIBUTE(setacl, vfs_set_acl, WIRE_HOOK_VFS_SET_ACL, OPERATION_SETACL)
ATTRIBUTE(removeacl, vfs_remove_acl, WIRE_HOOK_VFS_REMOVE_ACL, OPERATION_SETACL)

BEGIN_END(fileattr, vfs_fileattr_set, WIRE_HOOK_VFS_FILEATTR_SET, begin_rare, OPERATION_SETFLAGS, 0)

#include "bpf/guard.h"

#include "bpf/contents.h"
#include "bpf/creates.h"
#include "bpf/already_open.h"
#include "bpf/mounts.h"
#include "bpf/guard_hooks.h"

char _license[] SEC("license") = "GPL";
