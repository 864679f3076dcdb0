/* SPDX-License-Identifier: MIT */
/* What `guard` was asked for, and what became of it. */
#pragma once

#include "cli/guard_confirm.h"
#include "cli/kernel_guard.h"
#include "guard/keeper.h"
#include "guard/mounted.h"
#include "util/arena.h"
#include "util/sbuf.h"
#include "watch/target.h"

#define GUARD_TARGETS_MAX 64
#define GUARD_LAYERS_MAX 256

struct guard_command {
    const char *method, *store, *format, *sensor, *control, *duration, *confirm_text;
    bool log_only, off, confirmed, no_store, json, best_effort, keep;
    uint64_t for_ns;
    uint64_t would_have_ns; /* judge so much of the record; 0: no */
    const char *allow[ALLOWED_MAX];
    size_t allow_count;
    char **targets; /* into argv */
    size_t count;
    struct target parsed[GUARD_TARGETS_MAX];
    struct container_view views[GUARD_TARGETS_MAX];
    struct guard_target asked[GUARD_TARGETS_MAX];
    size_t parsed_count, view_count;
    struct bytes layers[GUARD_LAYERS_MAX]; /* places of the targets in layers of overlays; not of containers */
    size_t layer_count;
    struct guard_mounted mounted; /* below the targets, not held */
    struct engines *engines;
    struct arena arena;
    struct sbuf text;
    struct guard_keeper keeper;
    bool held;
    struct guard_confirm confirm;
    struct kernel_guard kernel; /* way: immutable, where it is not used */
};

/* Does the kernel's sensor refuse the changes? Otherwise the immutable flag does. */
static inline bool guard_is_by_kernel(const struct guard_command *q)
{
    return q->kernel.way != GUARD_WAY_IMMUTABLE;
}
