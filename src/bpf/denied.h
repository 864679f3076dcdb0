/* SPDX-License-Identifier: MIT */
/* What the guard (guard.h) has refused was emitted there: the call around it, which fails, is not emitted again. */
#pragma once

#include "bpf/compat.h"

volatile __u32 guard_mode; /* 1: refuse. Written by user space */

/* A task's last refusal: what the call around it returns is not emitted again. An evicted entry: it is emitted twice. */
struct denial {
    u64 time_ns;
    u64 what; /* dentry or file */
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, u64);
    __type(value, struct denial);
} denials SEC(".maps");

/* Was it refused here, since then or of that object? */
static __always_inline bool is_denied(u64 since_ns, u64 what)
{
    u64 task = bpf_get_current_pid_tgid();
    struct denial *d = guard_mode ? bpf_map_lookup_elem(&denials, &task) : NULL;

    if (!d || (since_ns ? d->time_ns < since_ns : d->what != what))
        return false;
    bpf_map_delete_elem(&denials, &task);
    return true;
}
