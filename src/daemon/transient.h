/* SPDX-License-Identifier: MIT */
/* Watches that somebody asked for while the daemon runs (`ctl add`, a viewer): counted, and no part of the configuration. */
#pragma once

#include <stdbool.h>

#include "util/err.h"
#include "watch/target.h"

struct transient {
    struct transient *next;
    struct target target;  /* with permissions and key */
    unsigned added;        /* by `ctl add` */
    unsigned viewers;
    bool declared;         /* by a container's label: nobody removes it */
};

struct transients {
    struct transient *first;
    size_t count;
};

/* One user more; a new one if nobody asked for the same target, permissions and key. -E2BIG: too many; -EINVAL: it is no target. */
int transient_take(struct transients *list, struct bytes text, unsigned permissions, struct bytes key, bool viewer,
                   struct transient **ret, struct err *err);
/* One user less; true: it was the last, and it is gone. */
bool transient_leave(struct transients *list, struct transient *t, bool viewer);
/* One that was added, by its target; NULL: none. */
struct transient *transient_find_added(const struct transients *list, struct bytes text);
void transients_done(struct transients *list);
