/* SPDX-License-Identifier: MIT */
/*
 * Putting records together: in memory of the CPU's own, then copied into a ring as long as they are.
 * Rare changes (names, metadata, mounts) have a ring of their own, so that no storm of opens and
 * writes can push one out.
 */
#pragma once

#include "bpf/compat.h"
#include "bpf/match.h"
#include "wire/change.h"
#include "wire/operation.h"

#define NAME_SIZE 256
#define NAMES_DEPTH 160
#define TAIL_SIZE 28672       /* a value of a map per CPU has at most 32 KiB (PCPU_MIN_UNIT_SIZE) */
#define TAIL_LAST (TAIL_SIZE - NAME_SIZE)
#define PATH_ROOM 12000       /* bytes of names of one path */
#define ACTOR_PATH_DEPTH 48
#define ACTOR_TAIL_SIZE 16384
#define ACTOR_ARGS_MAX 4096

/* Rings: written here, read by user space; sizes set before the load. When full, the loss is counted. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 22);
} rare SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 22);
} frequent SEC(".maps");

/* Losses by enum wire_loss: counted here, read by user space. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, WIRE_LOSS_COUNT);
    __type(key, u32);
    __type(value, u64);
} losses SEC(".maps");

/* What an operation's entry knows, for its exit. Deleted there. Full: counted, the change is lost. */
struct pending_key {
    u64 task;
    u64 dentry;
    u64 slot; /* enum slot */
};

/* A call within another one on the same dentry. */
enum slot {
    SLOT_PLAIN,
    SLOT_ATTRIBUTE, /* vfs_setxattr leads to notify_change */
    SLOT_CALL,      /* of the system call: by task only */
    SLOT_OPEN,      /* of an open that would create: by task only */
};

struct pending {
    struct wire_change change;
    u64 dentry;       /* the first path's, as it was at entry */
    u64 other;        /* the second's */
    u64 parent;       /* directories at entry: a rename changes them */
    u64 other_parent;
    u64 text;         /* address of a string, read at exit */
    u32 named;        /* the saved names are to be used instead of the dentries' */
    u32 frequent;
};

/* Of few operations: most need not pay for them. */
struct saved_names {
    u8 name[NAME_SIZE];
    u8 other[NAME_SIZE];
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 2048);
    __type(key, struct pending_key);
    __type(value, struct pending);
} pending SEC(".maps");

/* The names that belong to those that are `named`. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 2048);
    __type(key, struct pending_key);
    __type(value, struct saved_names);
} pending_names SEC(".maps");

/* How many there are: the exits of what nobody watches need no look-up. */
__u64 pending_count;

/*
 * Programs stay on their CPU and may be preempted there (6.12 and later with lazy preemption, others with
 * PREEMPT): by the task's number, so that who comes in between seldom needs the same one. When it does, the
 * change is counted as lost.
 */
#define SCRATCHES 16u

static __always_inline u32 scratch_mine(void)
{
    return (u32)bpf_get_current_pid_tgid() % SCRATCHES;
}

struct scratch {
    u64 who;  /* the task_struct of the actor */
    u64 task; /* whose record this is: on a preemptible kernel another task may come in between */
    struct match match;
    struct pending p;
    struct saved_names n;
    struct {
        struct wire_change change;
        u8 tail[TAIL_SIZE];
    } record;
    u32 tail_len;
    u32 part_len;
    u32 whole;
    u32 reserved;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SCRATCHES);
    __type(key, u32);
    __type(value, struct scratch);
} scratches SEC(".maps");

struct actor_scratch {
    struct wire_actor actor;
    u8 tail[ACTOR_TAIL_SIZE];
    u32 tail_len;
    u32 part_len;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SCRATCHES);
    __type(key, u32);
    __type(value, struct actor_scratch);
} actor_scratches SEC(".maps");

static __always_inline struct actor_scratch *actor_scratch_get(void)
{
    u32 mine = scratch_mine();

    return bpf_map_lookup_elem(&actor_scratches, &mine);
}

/* Actors that user space knows already, by tgid. An entry pushed out is only told again. */
struct actor_known {
    u64 start_ns;
    u64 exe, cwd, args; /* addresses: any of them changes with what the actor record tells */
    u64 number;
    u32 told;           /* a bit each ring */
    u32 reserved;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, u32);
    __type(value, struct actor_known);
} actors SEC(".maps");

static __always_inline struct scratch *scratch_get(void)
{
    u32 mine = scratch_mine();

    return bpf_map_lookup_elem(&scratches, &mine);
}

static __always_inline struct match *match_get(void)
{
    struct scratch *s = scratch_get();

    return s ? &s->match : NULL;
}

static __always_inline void count_loss(u32 which)
{
    u64 *n = bpf_map_lookup_elem(&losses, &which);

    if (n)
        (*n)++;
}

/* ---- facts ---- */

static __noinline int state_read(struct wire_state *s, struct inode *in)
{
    if (!s || !in)
        return 0;
    s->inode = BPF_CORE_READ(in, i_ino);
    s->device = BPF_CORE_READ(in, i_sb, s_dev);
    s->mode = BPF_CORE_READ(in, i_mode);
    s->uid = BPF_CORE_READ(in, i_uid.val);
    s->gid = BPF_CORE_READ(in, i_gid.val);
    s->links = BPF_CORE_READ(in, i_nlink);
    s->size = BPF_CORE_READ(in, i_size);
    s->flags = BPF_CORE_READ(in, i_flags);
    inode_times(in, &s->atime_ns, &s->mtime_ns, &s->ctime_ns);
    s->known = WIRE_STATE_KNOWN;
    return 0;
}

static __always_inline void state_clear(struct wire_state *s)
{
    __builtin_memset(s, 0, sizeof(*s));
}

static __always_inline void route_read(struct wire_change *c, struct task_struct *t)
{
    u32 flags = BPF_CORE_READ(t, flags);
    u64 regs;

    c->syscall = -1;
    c->arch = 0;
    if (flags & PF_IO_WORKER) {
        c->flags |= WIRE_IO_URING;
        return;
    }
    if (flags & PF_KTHREAD)
        return;
    regs = task_registers(t);
    if (!regs)
        return;
#if defined(__TARGET_ARCH_x86)
    struct pt_regs___x86 *x86 = (void *)regs;
    struct task_struct___x86 *tx = (void *)t;

    c->syscall = (s32)BPF_CORE_READ(x86, orig_ax);
    c->arch = KERNEL_AUDIT_ARCH_X86_64;
    if (bpf_core_field_exists(tx->thread_info) &&
        (BPF_CORE_READ(tx, thread_info.status) & TS_COMPAT)) {
        c->arch = KERNEL_AUDIT_ARCH_I386;
        c->flags |= WIRE_COMPAT;
    }
#elif defined(__TARGET_ARCH_arm64)
    struct pt_regs___arm64 *arm = (void *)regs;

    c->syscall = BPF_CORE_READ(arm, syscallno);
    c->arch = KERNEL_AUDIT_ARCH_AARCH64;
#endif
    if (c->syscall < 0)
        c->arch = 0;
    else if (c->syscall == SYSCALL_IO_URING_ENTER)
        c->flags |= WIRE_IO_URING;
}

struct cred_ids {
    u32 uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
};

#define ID_IS_AT(id) \
    (bpf_core_field_offset(struct cred, id) - bpf_core_field_offset(struct cred, uid) == __builtin_offsetof(struct cred_ids, id))

static __always_inline void ids_read(struct wire_change *c, const struct cred *cred)
{
    struct cred_ids ids = { 0 };

    /* one after another, unless the kernel shuffles its structures (CONFIG_RANDSTRUCT): one call reads all */
    if (ID_IS_AT(gid) && ID_IS_AT(suid) && ID_IS_AT(sgid) && ID_IS_AT(euid) && ID_IS_AT(egid) && ID_IS_AT(fsuid) &&
        ID_IS_AT(fsgid)) {
        bpf_probe_read_kernel(&ids, sizeof(ids), (void *)cred + bpf_core_field_offset(struct cred, uid));
    } else {
        ids.uid = BPF_CORE_READ(cred, uid.val);
        ids.gid = BPF_CORE_READ(cred, gid.val);
        ids.suid = BPF_CORE_READ(cred, suid.val);
        ids.sgid = BPF_CORE_READ(cred, sgid.val);
        ids.euid = BPF_CORE_READ(cred, euid.val);
        ids.egid = BPF_CORE_READ(cred, egid.val);
        ids.fsuid = BPF_CORE_READ(cred, fsuid.val);
        ids.fsgid = BPF_CORE_READ(cred, fsgid.val);
    }
    c->uid = ids.uid;
    c->euid = ids.euid;
    c->suid = ids.suid;
    c->fsuid = ids.fsuid;
    c->gid = ids.gid;
    c->egid = ids.egid;
    c->sgid = ids.sgid;
    c->fsgid = ids.fsgid;
}

/* Everything of a change but the paths, hits and states. */
static __always_inline void who_read(struct wire_change *c, struct task_struct *t)
{
    struct task_struct *leader = BPF_CORE_READ(t, group_leader);
    const struct cred *cred = BPF_CORE_READ(t, real_cred);
    struct task_struct___audit *audit = (void *)t;

    c->tgid = BPF_CORE_READ(t, tgid);
    c->tid = BPF_CORE_READ(t, pid);
    c->start_ns = BPF_CORE_READ(leader, start_boottime);
    c->parent = BPF_CORE_READ(leader, real_parent, tgid);
    ids_read(c, cred);
    c->cgroup = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
    c->login_uid = c->session = (u32)-1;
    if (bpf_core_field_exists(audit->loginuid)) {
        c->login_uid = BPF_CORE_READ(audit, loginuid.val);
        c->session = BPF_CORE_READ(audit, sessionid);
    }
    route_read(c, t);
}

/* Everything but hits, which were found before. */
static __always_inline void change_fill(struct wire_change *c, u32 operation, u32 flags,
                                        struct task_struct *t)
{
    c->header.time_ns = bpf_ktime_get_boot_ns();
    c->header.len = 0;
    c->header.version = WIRE_CHANGE_VERSION;
    c->header.type = WIRE_CHANGE;
    c->actor = c->bytes = c->super = 0;
    state_clear(&c->file);
    state_clear(&c->after);
    state_clear(&c->other);
    c->operation = operation;
    c->error = 0;
    c->flags = flags;
    c->valid = 0;
    c->path_len = c->other_len = c->text_len = c->reserved = 0;
    who_read(c, t);
}

/* ---- names ---- */

/* Offsets live in the map's memory, not in registers: so the verifier's states stay equal from one
 * round to the next, and its work grows with the depth only, not with its square. */
static __always_inline bool put_name(struct scratch *s, const void *name)
{
    u32 off = s->tail_len;
    long n;

    if (off > TAIL_LAST || s->part_len > PATH_ROOM)
        return false;
    n = bpf_probe_read_kernel_str(s->record.tail + off, NAME_SIZE, name);
    if (n > 0) {
        s->tail_len = off + n;
        s->part_len += n;
    }
    return true;
}

/* Names from `d` up, `depth` of them, or to the file system's root. */
__noinline int put_names(u64 dentry, u32 depth)
{
    struct dentry *d = (void *)dentry;
    struct scratch *s = scratch_get();

    if (!s)
        return 0;
    s->whole = 0;
    for (u32 i = 0; i < NAMES_DEPTH; i++) {
        struct dentry *parent;

        if (i >= depth)
            return 0;
        parent = BPF_CORE_READ(d, d_parent);
        if (parent == d) {
            s->whole = 1;
            return 0;
        }
        if (!put_name(s, BPF_CORE_READ(d, d_name.name)))
            break;
        d = parent;
    }
    s->record.change.flags |= WIRE_PATH_CUT;
    return 0;
}

/* How far up the names of a path are needed: to the farthest hit, or all of them. */
__noinline int names_depth(u32 path)
{
    struct scratch *s = scratch_get();
    struct wire_change *c;
    u32 depth = 0;
    bool any = false;

    if (!s)
        return 0;
    c = &s->record.change;

    for (int i = 0; i < WIRE_HITS_MAX; i++) {
        if ((u32)i >= c->hit_count)
            break;
        if (c->hits[i].path != path || c->hits[i].kind == WIRE_HIT_LINK)
            continue;
        any = true;
        if (c->hits[i].depth > depth)
            depth = c->hits[i].depth;
    }
    /* what is renamed itself may have had another name than the one it is watched by */
    if (c->operation == OPERATION_RENAME && !depth)
        any = false;
    return any ? depth : NAMES_DEPTH;
}

/* ---- the actor ---- */

static __always_inline struct mount *mount_of(struct vfsmount *m)
{
    return (void *)m - bpf_core_field_offset(struct mount, mnt);
}

static __always_inline bool actor_put(struct actor_scratch *a, const void *from)
{
    u32 off = a->tail_len;
    long n;

    if (off > ACTOR_TAIL_SIZE - ACTOR_ARGS_MAX - NAME_SIZE)
        return false;
    n = bpf_probe_read_kernel_str(a->tail + off, NAME_SIZE, from);
    if (n > 0) {
        a->tail_len = off + n;
        a->part_len += n;
    }
    return true;
}

/* Names of a path from the leaf to the root of the mount tree, i.e. of the namespace. */
__noinline int actor_put_path(u64 address)
{
    struct actor_scratch *a = actor_scratch_get();
    struct path *path = (void *)address;
    struct dentry *d;
    struct mount *m;

    if (!a)
        return 0;
    a->part_len = 0;
    d = BPF_CORE_READ(path, dentry);
    m = mount_of(BPF_CORE_READ(path, mnt));
    for (int i = 0; i < ACTOR_PATH_DEPTH; i++) {
        struct dentry *parent = BPF_CORE_READ(d, d_parent);

        if (parent == d && d != BPF_CORE_READ(m, mnt.mnt_root)) { /* a file in memory only */
            actor_put(a, BPF_CORE_READ(d, d_name.name));
            return 0;
        }
        if (parent == d || d == BPF_CORE_READ(m, mnt.mnt_root)) {
            struct mount *up = BPF_CORE_READ(m, mnt_parent);

            if (up == m || !up)
                return 0;
            d = BPF_CORE_READ(m, mnt_mountpoint);
            m = up;
            continue;
        }
        if (!actor_put(a, BPF_CORE_READ(d, d_name.name)))
            return 1;
        d = parent;
    }
    return 1;
}

static __always_inline void actor_put_args(struct actor_scratch *a, struct mm_struct *mm)
{
    unsigned long start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
    u64 size = end - start;
    u32 off = a->tail_len;

    a->actor.args_size = size > 0xffffffff ? 0xffffffff : size;
    if (!size || off > ACTOR_TAIL_SIZE - ACTOR_ARGS_MAX - NAME_SIZE)
        return;
    if (size > ACTOR_ARGS_MAX)
        size = ACTOR_ARGS_MAX;
    size &= 2 * ACTOR_ARGS_MAX - 1;
    if (bpf_probe_read_user(a->tail + off, size, (void *)start) < 0) {
        /* one page is not resident: as much as there is in the first */
        size = 4096 - (start & 4095) < size ? 4096 - (start & 4095) : size;
        size &= 2 * ACTOR_ARGS_MAX - 1;
        if (size > ACTOR_ARGS_MAX || bpf_probe_read_user(a->tail + off, size, (void *)start) < 0) {
            a->actor.flags |= WIRE_ACTOR_ARGS_LOST;
            return;
        }
    }
    a->actor.args_len = size;
    a->tail_len = off + size;
}

__noinline int actor_fill(u64 number, u64 task)
{
    struct actor_scratch *a = actor_scratch_get();
    struct task_struct *t = (void *)task;
    struct task_struct *leader = BPF_CORE_READ(t, group_leader);
    struct mm_struct *mm = BPF_CORE_READ(t, mm);
    struct file *exe = mm ? BPF_CORE_READ(mm, exe_file) : NULL;
    struct fs_struct *fs = BPF_CORE_READ(t, fs);
    struct tty_struct *tty = BPF_CORE_READ(t, signal, tty);
    struct kernfs_node *kn = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn);

    if (!a)
        return 0;
    __builtin_memset(&a->actor, 0, sizeof(a->actor));
    a->tail_len = 0;
    a->actor.header.time_ns = bpf_ktime_get_boot_ns();
    a->actor.header.version = WIRE_CHANGE_VERSION;
    a->actor.header.type = WIRE_ACTOR;
    a->actor.actor = number;
    a->actor.start_ns = BPF_CORE_READ(leader, start_boottime);
    a->actor.tgid = BPF_CORE_READ(t, tgid);
    a->actor.mnt_ns = BPF_CORE_READ(t, nsproxy, mnt_ns, ns.inum);
    a->actor.pid_ns = BPF_CORE_READ(t, nsproxy, pid_ns_for_children, ns.inum);
    if (BPF_CORE_READ(t, flags) & PF_KTHREAD)
        a->actor.flags |= WIRE_ACTOR_KERNEL;
    /* the leader's: a worker thread of io_uring has another one */
    a->part_len = 0;
    actor_put(a, (void *)leader + bpf_core_field_offset(struct task_struct, comm));
    a->actor.comm_len = a->part_len;
    if (exe) {
        struct inode *in = BPF_CORE_READ(exe, f_inode);

        a->actor.exe_inode = BPF_CORE_READ(in, i_ino);
        a->actor.exe_device = BPF_CORE_READ(in, i_sb, s_dev);
        a->actor.exe_links = BPF_CORE_READ(in, i_nlink);
        if (actor_put_path((u64)exe + bpf_core_field_offset(struct file, f_path)))
            a->actor.flags |= WIRE_ACTOR_EXE_CUT;
        a->actor.exe_len = a->part_len;
        if (BPF_CORE_READ(in, i_sb, s_magic) == TMPFS_MAGIC && !a->actor.exe_links)
            a->actor.flags |= WIRE_ACTOR_MEMFD;
    }
    if (fs) {
        if (actor_put_path((u64)fs + bpf_core_field_offset(struct fs_struct, pwd)))
            a->actor.flags |= WIRE_ACTOR_CWD_CUT;
        a->actor.cwd_len = a->part_len;
    }
    if (mm)
        actor_put_args(a, mm);
    if (tty) {
        a->actor.tty_major = BPF_CORE_READ(tty, driver, major);
        a->actor.tty_index = BPF_CORE_READ(tty, index);
        a->part_len = 0;
        actor_put(a, (void *)tty + bpf_core_field_offset(struct tty_struct, name));
        a->actor.tty_len = a->part_len;
    }
    a->part_len = 0;
    for (int i = 0; i < 16; i++) {
        if (!kn)
            break;
        if (!actor_put(a, BPF_CORE_READ(kn, name)))
            break;
        kn = kernfs_parent(kn);
    }
    a->actor.cgroup_len = a->part_len;
    return 0;
}

/* A wake-up costs more than the record: the reader looks every 100 ms by itself. */
static __always_inline u64 ring_flags(void *ring, u64 size)
{
    return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > size / 4 ? BPF_RB_FORCE_WAKEUP
                                                                 : BPF_RB_NO_WAKEUP;
}

/* Bytes of each ring: set by user space. */
const volatile __u64 ring_size = 1 << 22;

static __always_inline long ring_put(u32 is_frequent, void *data, u64 len)
{
    long r;

    if (is_frequent)
        r = bpf_ringbuf_output(&frequent, data, len, ring_flags(&frequent, ring_size));
    else
        r = bpf_ringbuf_output(&rare, data, len, ring_flags(&rare, ring_size));
    if (r < 0)
        count_loss(is_frequent ? WIRE_LOSS_FREQUENT_RING : WIRE_LOSS_RARE_RING);
    return r;
}

/* The number of the actor's record, which is put into the ring first if it is not known there. */
static __noinline u64 actor_tell(struct task_struct *t, u32 is_frequent)
{
    u32 tgid = BPF_CORE_READ(t, tgid), bit = is_frequent ? 2 : 1;
    struct mm_struct *mm = BPF_CORE_READ(t, mm);
    struct actor_known now = {
        .start_ns = BPF_CORE_READ(t, group_leader, start_boottime),
        .exe = mm ? (u64)BPF_CORE_READ(mm, exe_file) : 0,
        .cwd = (u64)BPF_CORE_READ(t, fs, pwd.dentry),
        .args = mm ? BPF_CORE_READ(mm, arg_start) ^ BPF_CORE_READ(t, self_exec_id) : 0,
    };
    struct actor_known *known = bpf_map_lookup_elem(&actors, &tgid);
    struct actor_scratch *a;
    u64 len;

    if (known && known->start_ns == now.start_ns && known->exe == now.exe &&
        known->cwd == now.cwd && known->args == now.args) {
        if (known->told & bit)
            return known->number;
        now.number = known->number;
        now.told = known->told;
    } else {
        now.number = bpf_ktime_get_boot_ns() << 8 | (bpf_get_smp_processor_id() & 0xff);
    }
    a = actor_scratch_get();
    if (!a)
        return 0;
    actor_fill(now.number, (u64)t);
    len = sizeof(a->actor) + a->tail_len;
    if (len > sizeof(a->actor) + ACTOR_TAIL_SIZE)
        return 0;
    a->actor.header.len = len;
    if (ring_put(is_frequent, a, len) == 0) {
        now.told |= bit;
        bpf_map_update_elem(&actors, &tgid, &now, BPF_ANY);
    }
    return now.number;
}

/* ---- the record ---- */

/* Where the names of one path begin, its leaf apart if it was saved. */
static __always_inline void put_path(struct scratch *s, struct pending *p, u32 path)
{
    u32 depth = names_depth(path);
    u64 from = path ? p->other : p->dentry;

    s->part_len = 0;
    s->whole = 0;
    if (!from)
        return;
    if (p->named && depth) {
        put_name(s, path ? s->n.other : s->n.name);
        from = path ? p->other_parent : p->parent;
        depth--;
    }
    put_names(from, depth);
    if (s->whole)
        s->record.change.flags |= path ? WIRE_WHOLE_OTHER : WIRE_WHOLE_PATH;
}

/*
 * The scratch's record.change is there; the names and the text of its `p` follow, and out it goes.
 * A global function without pointers: the verifier looks at it once, not once a caller and state.
 */
__noinline int record_emit(void)
{
    struct scratch *s = scratch_get();
    struct task_struct *t;
    struct wire_change *c;
    struct pending *p;
    u64 len;

    if (!s)
        return 0;
    t = (void *)s->who;
    c = &s->record.change;
    p = &s->p;
    c->actor = actor_tell(t, p->frequent);
    s->tail_len = 0;
    put_path(s, p, 0);
    c->path_len = s->tail_len;
    put_path(s, p, 1);
    c->other_len = s->tail_len - c->path_len;
    if (p->text && s->tail_len <= TAIL_SIZE - 4096) {
        u32 start = s->tail_len;
        long n = bpf_probe_read_kernel_str(s->record.tail + start, 4096, (void *)p->text);

        if (n > 0)
            s->tail_len = start + n;
    }
    c->text_len = s->tail_len - c->path_len - c->other_len;
    len = sizeof(*c) + s->tail_len;
    if (len > sizeof(*c) + TAIL_SIZE || s->task != bpf_get_current_pid_tgid()) {
        count_loss(WIRE_LOSS_SCRATCH);
        return 0;
    }
    c->header.len = len;
    ring_put(p->frequent, &s->record, len);
    return 0;
}
