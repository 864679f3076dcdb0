/* SPDX-License-Identifier: MIT */
/*
 * A tracing program is not called on a CPU where it has begun and not ended (since 5.12, __bpf_prog_enter_recur()):
 * on a kernel that preempts its own code, one task that is interrupted in a program hides from it what all others do
 * on that CPU until its turn comes again. So what is called often is there twice: whichever of the two is called
 * does the work, and the other one finds it done. Only what both missed is lost, and can be counted: the kernel
 * counts the calls that each missed.
 */
#pragma once

#include "bpf/compat.h"
#include "wire/hooks.h"

/* Set by user space: this kernel preempts its own code, and the two are loaded instead of the one. */
const volatile bool twice = false;

#define MARKS 1024u

/* What a task had done last, by its number: a task that shares it and comes in between makes it done twice. */
__u64 marks[MARKS];

/* Calls that found the work done, less those that did it: 0 when both are called each time. */
__s64 found_done[WIRE_DUPLICATED_COUNT];

static __always_inline bool is_done(u32 which, u64 what)
{
    u64 id = bpf_get_current_pid_tgid();
    u64 mark = (what ^ id * 0x9e3779b97f4a7c15ull) * 0xc2b2ae3d27d4eb4full + which;
    u64 *at = &marks[(u32)id % MARKS];

    if (*at == mark) {
        *at = 0;
        __sync_fetch_and_add(&found_done[which], 1);
        return true;
    }
    *at = mark;
    __sync_fetch_and_add(&found_done[which], -1);
    return false;
}

/* What another task, interrupted here, left in this one's memory, or this one in another's: not what was looked for. */
#define is_disturbed(s) (twice && (s)->task != bpf_get_current_pid_tgid())

/*
 * The programs of one hook: the one that serves other kernels, and the two. `what` distinguishes one call of a task from its
 * next one.
 */
#define DUPLICATED(section, name, which, what)                                                          \
    SEC("?" section) int name(u64 *ctx)                                                            \
    {                                                                                              \
        return name##_once(ctx);                                                                   \
    }                                                                                              \
    SEC("?" section) int name##_first(u64 *ctx)                                                    \
    {                                                                                              \
        return is_done(which, number_of((void *)(what))) ? 0 : name##_once(ctx);                   \
    }                                                                                              \
    SEC("?" section) int name##_again(u64 *ctx)                                                    \
    {                                                                                              \
        return is_done(which, number_of((void *)(what))) ? 0 : name##_once(ctx);                   \
    }
