/* SPDX-License-Identifier: MIT */
/*
 * One change, seen twice: by the overlay and by its layers. A call from inside overlayfs is made with
 * credentials that are not the task's own (pointers; the ids may be equal). What the overlay was asked
 * to do comes first: it is remembered for the task, and what its layers do for it is dropped if it
 * was emitted, or else put into its terms.
 */
#pragma once

#include "bpf/record.h"

/* The task's last operation on an overlay. Written at each; evicted: the layers' observation is emitted too. */
struct overlay_call {
    u64 name;      /* name_key of what it works on */
    u32 operation;
    u32 emitted;
    u32 flags;     /* WIRE_CREATED */
    u32 reserved;
    struct wire_state file;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, u64);
    __type(value, struct overlay_call);
} overlay_calls SEC(".maps");

static __always_inline bool is_inner(struct task_struct *t)
{
    if (CURRENT_IS_KNOWN && (u64)t == bpf_get_current_task()) {
        struct task_struct *current = current_known();

        return current->cred != current->real_cred;
    }
    return BPF_CORE_READ(t, cred) != BPF_CORE_READ(t, real_cred);
}

static __noinline int overlay_remember(struct dentry *d, u32 operation, u32 emitted, u32 flags)
{
    struct overlay_call call;
    u64 id = bpf_get_current_pid_tgid();

    __builtin_memset(&call, 0, sizeof(call));
    call.operation = operation;
    call.emitted = emitted;
    call.flags = flags;
    if (!emitted) {
        call.name = name_key(d);
        state_read(&call.file, BPF_CORE_READ(d, d_inode));
    }
    bpf_map_update_elem(&overlay_calls, &id, &call, BPF_ANY);
    return 0;
}

/* Something inside a watched layer. Returns the operation to emit it as, OPERATION_NONE: not at all. */
static __noinline u32 fold_inner(struct wire_change *c, struct dentry *d, u32 operation)
{
    u64 id = bpf_get_current_pid_tgid();
    struct overlay_call *call = bpf_map_lookup_elem(&overlay_calls, &id);

    if (!c)
        return OPERATION_NONE;
    if (!call) /* an open creates first: emitted together with the open */
        return operation == OPERATION_CREATE ? OPERATION_NONE : operation;
    if (call->emitted || call->name != name_key(d))
        return OPERATION_NONE;
    c->flags |= call->flags;
    if (call->operation == operation)
        return operation;
    /* a lower file's delete is a whiteout that is renamed to its name */
    if (operation == OPERATION_RENAME &&
        (call->operation == OPERATION_UNLINK || call->operation == OPERATION_RMDIR)) {
        c->file = call->file;
        return call->operation;
    }
    return OPERATION_NONE;
}
