/* SPDX-License-Identifier: MIT */
/*
 * Where records are put together: in memory of the CPU's own; and what all of them have, facts and names. Rare changes (names,
 * metadata, mounts) have a ring of their own, so that no storm of opens and writes can push one out.
 */
#pragma once

#include "bpf/compat.h"
#include "bpf/match.h"
#include "wire/change.h"
#include "wire/operation.h"

#define NAME_SIZE 256
#define NAMES_FIRST 2  /* most paths have no more below what is watched */
#define NAMES_OUTER 10 /* then as WALK_OUTER */
#define NAMES_INNER 16
#define NAMES_DEPTH (NAMES_FIRST + NAMES_OUTER * NAMES_INNER)
#define TAIL_SIZE 28672       /* a value of a map per CPU has at most 32 KiB (PCPU_MIN_UNIT_SIZE) */
#define TAIL_LAST (TAIL_SIZE - NAME_SIZE)
#define PATH_ROOM 12000       /* bytes of names of one path */
#define ACTOR_PATH_OUTER 6
#define ACTOR_PATH_INNER 8
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

/* What an operation's entry knows, for its exit: bpf/pending.h */
struct pending {
    u64 dentry;       /* the first path's, as it was at entry */
    u64 other;        /* the second's */
    u64 parent;       /* directories at entry: a rename changes them */
    u64 other_parent;
    u64 text;         /* address of a string, read at exit */
    u32 named;        /* the saved names are to be used instead of the dentries' */
    u32 frequent;
    struct wire_change change; /* last: in a scratch the record's tail follows it */
};

/* Of few operations: most need not pay for them. */
struct saved_names {
    u8 name[NAME_SIZE];
    u8 other[NAME_SIZE];
};

/*
 * Programs stay on their CPU and may be preempted there (6.12 and later with lazy preemption, others with
 * PREEMPT): by the task's number, so that who comes in between seldom needs the same one. When it does, the
 * change is counted as lost.
 */
#define SCRATCHES 16u

_Static_assert(__builtin_offsetof(struct pending, change) + sizeof(struct wire_change) == sizeof(struct pending),
               "the tail follows the change");

struct scratch {
    u64 who;  /* the task_struct of the actor */
    u64 task; /* whose record this is: on a preemptible kernel another task may come in between */
    struct match match;
    struct saved_names n;
    struct pending p;
    u8 tail[TAIL_SIZE];
    u64 at;   /* where put_next() is */
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
    u64 at, mount; /* where actor_put_next() is */
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
    u32 mine = (u32)bpf_get_current_pid_tgid() % SCRATCHES;

    return bpf_map_lookup_elem(&actor_scratches, &mine);
}

/* Actors that user space knows already, by tgid. An evicted entry is only emitted again. */
struct actor_known {
    u64 start_ns;
    u64 exe, cwd, args; /* addresses: any of them changes with what the actor record contains */
    u64 number;
    u32 emitted;        /* a bit each ring */
    u32 reserved;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, u32);
    __type(value, struct actor_known);
} actors SEC(".maps");

static __always_inline struct scratch *scratch_of(u64 task)
{
    u32 mine = (u32)task % SCRATCHES;

    return bpf_map_lookup_elem(&scratches, &mine);
}

static __always_inline struct scratch *scratch_get(void)
{
    return scratch_of(bpf_get_current_pid_tgid());
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

#define STATE_READ(READ, times)                                                                    \
    do {                                                                                           \
        s->inode = READ(in, i_ino);                                                                \
        s->device = READ(in, i_sb, s_dev);                                                         \
        s->mode = READ(in, i_mode);                                                                \
        s->uid = READ(in, i_uid.val);                                                              \
        s->gid = READ(in, i_gid.val);                                                              \
        s->links = READ(in, i_nlink);                                                              \
        s->size = READ(in, i_size);                                                                \
        s->flags = READ(in, i_flags);                                                              \
        times(in, &s->atime_ns, &s->mtime_ns, &s->ctime_ns);                                       \
        s->known = WIRE_STATE_KNOWN;                                                               \
    } while (0)

static __noinline int state_read(struct wire_state *s, struct inode *in)
{
    if (s && in)
        STATE_READ(BPF_CORE_READ, inode_times);
    return 0;
}

/* The same of a pointer that the verifier knows. */
static __always_inline void state_load(struct wire_state *s, struct inode *in)
{
    if (in)
        STATE_READ(LOAD, inode_times_known);
}

static __always_inline void state_clear(struct wire_state *s)
{
    __builtin_memset(s, 0, sizeof(*s));
}

static __always_inline void route_read(struct wire_change *c, struct task_struct *t, u32 flags, u32 status)
{
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
    c->syscall = syscall_number(regs);
#if defined(__TARGET_ARCH_x86)
    c->arch = KERNEL_AUDIT_ARCH_X86_64;
    if (status & TS_COMPAT) {
        c->arch = KERNEL_AUDIT_ARCH_I386;
        c->flags |= WIRE_COMPAT;
    }
#elif defined(__TARGET_ARCH_arm64)
    c->arch = KERNEL_AUDIT_ARCH_AARCH64;
#endif
    if (c->syscall < 0)
        c->arch = 0;
    else if (c->syscall == SYSCALL_IO_URING_ENTER)
        c->flags |= WIRE_IO_URING;
}

#define IDS_READ(READ, credentials)                                                                \
    do {                                                                                           \
        const struct cred *cred = (credentials);                                                   \
                                                                                                   \
        c->uid = READ(cred, uid.val);                                                              \
        c->euid = READ(cred, euid.val);                                                            \
        c->suid = READ(cred, suid.val);                                                            \
        c->fsuid = READ(cred, fsuid.val);                                                          \
        c->gid = READ(cred, gid.val);                                                              \
        c->egid = READ(cred, egid.val);                                                            \
        c->sgid = READ(cred, sgid.val);                                                            \
        c->fsgid = READ(cred, fsgid.val);                                                          \
    } while (0)

#define WHO_READ(READ)                                                                             \
    do {                                                                                           \
        struct task_struct *leader = READ(t, group_leader);                                        \
        struct task_struct___audit *audit = (void *)t;                                             \
                                                                                                   \
        c->tgid = READ(t, tgid);                                                                   \
        c->tid = READ(t, pid);                                                                     \
        c->start_ns = READ(leader, start_boottime);                                                \
        c->parent = READ(leader, real_parent, tgid);                                               \
        c->cgroup = READ(t, cgroups, dfl_cgrp, kn, id);                                            \
        c->login_uid = c->session = (u32)-1;                                                       \
        if (bpf_core_field_exists(audit->loginuid)) {                                              \
            c->login_uid = READ(audit, loginuid.val);                                              \
            c->session = READ(audit, sessionid);                                                   \
        }                                                                                          \
        flags = READ(t, flags);                                                                    \
        TASK_STATUS(READ, status, t);                                                              \
    } while (0)

/* Everything of a change but the paths, hits and states. */
static __always_inline void who_read(struct wire_change *c, struct task_struct *who)
{
    u32 flags, status = 0;

    if (CURRENT_IS_KNOWN && (u64)who == bpf_get_current_task()) {
        struct task_struct *t = current_known();

        WHO_READ(LOAD);
        IDS_READ(LOAD, t->real_cred);
    } else {
        struct task_struct *t = who;

        WHO_READ(BPF_CORE_READ);
        IDS_READ(BPF_CORE_READ, BPF_CORE_READ(t, real_cred));
    }
    route_read(c, who, flags, status);
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
    n = bpf_probe_read_kernel_str(s->tail + off, NAME_SIZE, name);
    if (n > 0) {
        s->tail_len = off + n;
        s->part_len += n;
    }
    return true;
}

/* One name more of put_names(). Returns whether to go on. Global: see match_note(). */
__noinline int put_next(void)
{
    struct scratch *s = scratch_get();
    struct name_at at;

    if (!s)
        return 0;
    at = name_at((void *)s->at);
    if (at.parent == s->at) {
        s->whole = 1;
        return 0;
    }
    if (!put_name(s, (void *)at.name)) {
        s->p.change.flags |= WIRE_PATH_CUT;
        return 0;
    }
    s->at = at.parent;
    return 1;
}

__noinline int put_some(u32 most)
{
    for (u32 i = 0; i < NAMES_INNER; i++)
        if (i >= most || !put_next())
            return 0;
    return 1;
}

/* Names from `dentry` up, `depth` of them, or to the file system's root. */
static __always_inline void put_names(struct scratch *s, u64 dentry, u32 depth)
{
    s->at = dentry;
    s->whole = 0;
    for (u32 i = 0; i < NAMES_FIRST; i++)
        if (i >= depth || !put_next())
            return;
    for (u32 done = NAMES_FIRST; done < NAMES_DEPTH; done += NAMES_INNER)
        if (done >= depth || !put_some(depth - done))
            return;
    s->p.change.flags |= WIRE_PATH_CUT;
}

/* How far up the names of a path are needed: to the farthest hit, or all of them. */
static __noinline u32 names_depth(struct wire_change *c, u32 path)
{
    u32 depth = 0;
    bool any = false;

    if (!c)
        return 0;
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
