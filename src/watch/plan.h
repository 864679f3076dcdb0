/* SPDX-License-Identifier: MIT */
/*
 * What to arm for many watches that may lie within one another: each change is to be emitted once, by the watch that
 * lies nearest. The outermost are armed, the others label what happens below them; what an inner one asks for and no
 * outer one does is armed for itself. So no two armed ones have both a path and a permission in common. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/arena.h"
#include "util/err.h"
#include "watch/target.h"

/* What somebody asked for. */
struct plan_ask {
    struct bytes text;    /* [CONTAINER:]PATH */
    struct bytes key;     /* empty: none */
    unsigned permissions; /* enum permission */
    bool optional;        /* whoever arms it may do without */
};

/* Whose a change at or below `path` is, if no label lies nearer. */
struct watch_label {
    struct bytes path;    /* as target_parse() has it */
    struct bytes text, key;
    unsigned permissions;
};

struct watch_labels {
    struct arena arena;
    struct watch_label *labels; /* of several with one path the last counts */
    size_t count;
};

struct watch;

struct plan_entry {
    struct target target; /* with its permissions; whoever arms it takes it over, and the labels */
    struct watch_labels *labels;
    size_t ask;            /* index of who asked for it */
    struct watch *kept_by; /* of whoever arms it: this one is armed already */
};

struct plan {
    struct plan_entry *entries;
    size_t count;
};

/* Asks for the same path are both labels: the later one counts. -EINVAL: one is no target; -ENOMEM. */
int plan_make(const struct plan_ask *asks, size_t count, struct plan *ret, struct err *err);
void plan_done(struct plan *plan);

/* The nearest label for a path and a permission; NULL: none. */
const struct watch_label *watch_labels_find(const struct watch_labels *labels, struct bytes path, unsigned permission);
void watch_labels_free(struct watch_labels *labels); /* NULL is fine */
/* The same containers, or the host in both. */
bool plan_same_place(const struct target *a, const struct target *b);
