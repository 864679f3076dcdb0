/* SPDX-License-Identifier: MIT */
/* The change: put together in the scratch, then copied into a ring as long as it is. */
#pragma once

#include "bpf/actor.h"

/* Where the names of one path begin, its leaf apart if it was saved. */
static __always_inline void put_path(struct scratch *s, struct pending *p, u32 path)
{
    u64 from = path ? p->other : p->dentry;
    u32 depth;

    s->part_len = 0;
    s->whole = 0;
    if (!from)
        return;
    depth = names_depth(&s->p.change, path);
    if (p->named && depth) {
        put_name(s, path ? s->n.other : s->n.name);
        from = path ? p->other_parent : p->parent;
        depth--;
    }
    put_names(s, from, depth);
    if (s->whole)
        s->p.change.flags |= path ? WIRE_WHOLE_OTHER : WIRE_WHOLE_PATH;
}

/*
 * The scratch's change is there; the names and the text of its `p` follow, and out it goes.
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
    c = &s->p.change;
    p = &s->p;
    c->actor = actor_emit(t, p->frequent);
    s->tail_len = 0;
    put_path(s, p, 0);
    c->path_len = s->tail_len;
    put_path(s, p, 1);
    c->other_len = s->tail_len - c->path_len;
    if (p->text && s->tail_len <= TAIL_SIZE - 4096) {
        u32 start = s->tail_len;
        long n = bpf_probe_read_kernel_str(s->tail + start, 4096, (void *)p->text);

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
    ring_put(p->frequent, c, len);
    return 0;
}
