/* SPDX-License-Identifier: MIT */
/*
 * Who may, judged from what was recorded: the decision of the kernel's programs (guard_allows() of bpf/guard.h), by names where they have
 * the kernel's numbers. Its order is theirs. What is not known is not guessed. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "event/event.h"

/* One --allow: whoever any of it fits. */
struct guard_rule {
    struct bytes text;       /* as the user wrote it */
    struct bytes executable; /* its path on the host, without symbolic links; BYTES_NULL: none is meant */
    uint64_t device, inode;  /* of what is there now; inode 0: not known */
    struct bytes unit;       /* a unit, or the name of a cgroup; BYTES_NULL: none */
    struct bytes container;  /* its name or id; BYTES_NULL: none */
    uint32_t uid;            /* UID_UNKNOWN: no user is meant */
    uint64_t fitted;         /* so many were judged by it */
};

struct guard_rules {
    struct guard_rule *all;
    size_t count;
    pid_t own_pid;   /* who guards; 0: not among them */
    uint64_t mnt_ns; /* inode number of the mount namespace in which mounts are judged; 0: any */
};

enum guard_judgement {
    GUARD_REFUSED,
    GUARD_UNKNOWN, /* what is recorded of who it was does not say */
    GUARD_ALLOWED,
    GUARD_JUDGEMENT_COUNT,
};

/* Is it a change, that was made, and that a guard is asked for at all? What lies above what is guarded: a rename alone. */
bool guard_judges(const struct guard_rules *rules, const struct event *e);
enum guard_judgement guard_judge(const struct guard_rules *rules, const struct event *e);
