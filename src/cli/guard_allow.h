/* SPDX-License-Identifier: MIT */
/* guard --allow WHO: who may, found by name when the guard begins, and known to the kernel by what cannot be given to another. */
#pragma once

#include <stddef.h>

#include "engine/engine.h"
#include "guard/judge.h"
#include "util/arena.h"
#include "util/err.h"

#define ALLOWED_MAX 64

struct guard_allowance {
    enum { ALLOW_EXECUTABLE, ALLOW_CGROUP, ALLOW_USER } kind;
    int fd;            /* of the executable: keeps its inode; else -EBADF */
    struct bytes path; /* of the executable, or of the cgroup's directory: who comes back after a restart has another one of that path */
    uint64_t value;    /* the cgroup's or the user's number */
};

struct guard_allowances {
    struct guard_allowance all[ALLOWED_MAX];
    size_t count;
};

/* The words that WHO may begin with are exe:, unit:, container:, user:; without one it is tried in this order. A path is an executable.
 * engines: is opened when it is needed, the caller frees. -EINVAL: nobody is called so, or it would allow everybody; err says what to
 * do instead. */
int guard_allow_find(struct guard_allowances *a, const char *who, struct engines **engines, struct arena *arena, struct err *err);
/* The same for a judgement of the record: by names, also of units and containers that do not run any more; without a word before the name all
 * of these are meant that have it. Texts are `who` itself, or in the arena. */
int guard_allow_rule(const char *who, struct arena *arena, struct guard_rule *ret, struct err *err);
/* To the kernel, once the sensor is open. */
int guard_allow_apply(const struct guard_allowances *a, struct err *err);
/* Units and containers that were restarted are allowed again: to be called now and then, from any one thread. */
void guard_allow_follow(struct guard_allowances *a);
void guard_allow_done(struct guard_allowances *a);
