/* SPDX-License-Identifier: MIT */
/*
 * What an operation's entry knows, kept for its exit. A task is in one operation at a time, nearly always: that one
 * is kept with the task itself. What is begun within it, and all of it on kernels whose tracing programs have no
 * such storage (before 5.13), is kept in maps. Deleted at the exit.
 */
#pragma once

#include "bpf/denied.h"
#include "bpf/record.h"

/* A call within another one on the same dentry. */
enum slot {
    SLOT_PLAIN,
    SLOT_ATTRIBUTE, /* vfs_setxattr leads to notify_change */
    SLOT_CALL,      /* of the system call: by task only */
    SLOT_OPEN,      /* of an open that would create: by task only */
};

/* The name that an open(O_CREAT) would make: bpf/creates.h */
struct asked {
    u64 dentry;
    u64 parent;
    u64 hash_len; /* of the name: the dentry may be given back before the call ends */
};

/* Freed by the kernel with its task. */
struct work {
    u64 dentry;
    u32 slot;
    u32 used;    /* p is, of this dentry and slot */
    u32 is_asked;
    u32 reserved;
    struct asked asked;
    struct pending p;
    struct saved_names n;
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct work);
} works SEC(".maps");

/* Set by user space: this kernel has that storage. Else the map is not made. */
const volatile bool has_task_storage = false;

/* The maps. Full: counted, the change is lost. */
struct pending_key {
    u64 task;
    u64 dentry;
    u64 slot;
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

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 2048);
    __type(key, u64);
    __type(value, struct asked);
} asked SEC(".maps");

/* How many there are, of both kinds, and of these in the maps: the exits of what nobody watches need no look-up. */
__u64 pending_count, pending_mapped, asked_mapped;

/* A refusal that was emitted already, so that the call around it is not emitted again: task -> operation. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1024);
    __type(key, u64);
    __type(value, u32);
} refusals SEC(".maps");

static __always_inline struct work *work_get(u64 flags)
{
    return has_task_storage ? bpf_task_storage_get(&works, (void *)bpf_get_current_task_btf(), NULL, flags) : NULL;
}

static __always_inline bool work_is(const struct work *w, u64 dentry, u32 slot)
{
    return w && w->used && w->dentry == dentry && w->slot == slot;
}

static __always_inline struct pending_key pending_key_of(u64 dentry, u32 slot)
{
    return (struct pending_key){ bpf_get_current_pid_tgid(), dentry, slot };
}

static __noinline int keep(struct scratch *s, u64 dentry, u32 slot)
{
    struct work *w = work_get(BPF_LOCAL_STORAGE_GET_F_CREATE);
    struct pending_key key;

    if (w && !w->used) {
        w->dentry = dentry;
        w->slot = slot;
        w->p = s->p;
        if (s->p.named)
            w->n = s->n;
        w->used = 1;
        __sync_fetch_and_add(&pending_count, 1);
        return 0;
    }
    if (work_is(w, dentry, slot))
        return 0;
    key = pending_key_of(dentry, slot);
    if (s->p.named && bpf_map_update_elem(&pending_names, &key, &s->n, BPF_ANY) < 0) {
        count_loss(WIRE_LOSS_PENDING);
        return 0;
    }
    if (bpf_map_update_elem(&pending, &key, &s->p, BPF_NOEXIST) == 0) {
        __sync_fetch_and_add(&pending_count, 1);
        __sync_fetch_and_add(&pending_mapped, 1);
    } else if (!bpf_map_lookup_elem(&pending, &key)) {
        count_loss(WIRE_LOSS_PENDING);
    }
    return 0;
}

/* What is kept; NULL: nothing. */
static __always_inline struct pending *pending_find(u64 dentry, u32 slot)
{
    struct work *w = pending_count ? work_get(0) : NULL;
    struct pending_key key;

    if (work_is(w, dentry, slot))
        return &w->p;
    if (!pending_mapped)
        return NULL;
    key = pending_key_of(dentry, slot);
    return bpf_map_lookup_elem(&pending, &key);
}

static __always_inline void pending_drop(u64 dentry, u32 slot)
{
    struct work *w = pending_count ? work_get(0) : NULL;
    struct pending_key key;

    if (work_is(w, dentry, slot)) {
        w->used = 0;
        __sync_fetch_and_add(&pending_count, -1);
    } else if (pending_mapped) {
        key = pending_key_of(dentry, slot);
        if (bpf_map_delete_elem(&pending, &key) == 0) {
            bpf_map_delete_elem(&pending_names, &key);
            __sync_fetch_and_add(&pending_count, -1);
            __sync_fetch_and_add(&pending_mapped, -1);
        }
    }
}

/* Taken from where it is kept into the scratch; NULL: nothing was kept. */
static __noinline struct scratch *pending_take(u64 dentry, u32 slot)
{
    struct work *w = work_get(0);
    struct scratch *s = scratch_get();

    if (!s)
        return NULL;
    if (work_is(w, dentry, slot)) {
        s->p = w->p;
        if (w->p.named)
            s->n = w->n;
        w->used = 0;
    } else {
        struct pending_key key = pending_key_of(dentry, slot);
        struct pending *p = pending_mapped ? bpf_map_lookup_elem(&pending, &key) : NULL;

        if (!p)
            return NULL;
        s->p = *p;
        bpf_map_delete_elem(&pending, &key);
        __sync_fetch_and_add(&pending_mapped, -1);
        if (s->p.named) {
            struct saved_names *n = bpf_map_lookup_elem(&pending_names, &key);

            if (n)
                s->n = *n;
            bpf_map_delete_elem(&pending_names, &key);
        }
    }
    __sync_fetch_and_add(&pending_count, -1);
    s->task = bpf_get_current_pid_tgid();
    s->who = bpf_get_current_task();
    return s;
}

/* Emit what was taken, with its result. */
static __noinline int finish(struct scratch *s, s32 error)
{
    if (!s)
        return 0;
    s->p.change.error = error < 0 ? -error : 0;
    if (error < 0) {
        u32 operation = s->p.change.operation;
        u64 task = s->task;

        bpf_map_update_elem(&refusals, &task, &operation, BPF_ANY);
        if (is_denied(s->p.change.header.time_ns, 0))
            return 0;
    } else if (!s->p.change.after.known) {
        struct dentry *d = (void *)(s->p.named ? s->p.other : s->p.dentry);

        state_read(&s->p.change.after, BPF_CORE_READ(d, d_inode));
    }
    return record_emit();
}

static __always_inline int end(u64 dentry, u32 slot, s64 result)
{
    return pending_count ? finish(pending_take(dentry, slot), (s32)result) : 0;
}

/* What concerns one dentry, whose state is loaded, not read. To be called while something is kept. */
static __noinline int end_kept(struct dentry *d, u32 slot, s64 result)
{
    struct scratch *s = pending_take((u64)d, slot);

    if (!s)
        return 0;
    if ((s32)result >= 0 && !s->p.named)
        state_load(&s->p.change.after, d->d_inode);
    return finish(s, (s32)result);
}

/* The newest question of a task counts. */
static __always_inline void asked_put(const struct asked *a)
{
    struct work *w = work_get(BPF_LOCAL_STORAGE_GET_F_CREATE);
    u64 task;

    if (w) {
        w->asked = *a;
        if (!w->is_asked)
            __sync_fetch_and_add(&pending_count, 1);
        w->is_asked = 1;
        return;
    }
    task = bpf_get_current_pid_tgid();
    if (bpf_map_update_elem(&asked, &task, a, BPF_NOEXIST) == 0) {
        __sync_fetch_and_add(&pending_count, 1);
        __sync_fetch_and_add(&asked_mapped, 1);
    } else if (bpf_map_update_elem(&asked, &task, a, BPF_EXIST) < 0) {
        count_loss(WIRE_LOSS_PENDING);
    }
}

/* Returns whether there was one. */
static __always_inline bool asked_take(struct asked *ret)
{
    struct work *w = pending_count ? work_get(0) : NULL;
    struct asked *found;
    u64 task;

    if (w && w->is_asked) {
        *ret = w->asked;
        w->is_asked = 0;
        __sync_fetch_and_add(&pending_count, -1);
        return true;
    }
    if (!asked_mapped)
        return false;
    task = bpf_get_current_pid_tgid();
    found = bpf_map_lookup_elem(&asked, &task);
    if (!found)
        return false;
    *ret = *found;
    bpf_map_delete_elem(&asked, &task);
    __sync_fetch_and_add(&pending_count, -1);
    __sync_fetch_and_add(&asked_mapped, -1);
    return true;
}
