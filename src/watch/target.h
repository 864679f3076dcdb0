/* SPDX-License-Identifier: MIT */
/* What the user typed: `[CONTAINER:]PATH`, taken apart but not yet looked up. */
#pragma once

#include "event/selector.h"
#include "util/arena.h"
#include "util/bytes.h"
#include "util/err.h"

struct target {
    struct arena arena;
    struct selector selector; /* SELECTOR_NONE: a host path */
    struct bytes text;        /* as written */
    struct bytes path;        /* absolute, normalised: no ".", "..", doubled or trailing slash; of a volume:
                               * below its directory */
    unsigned permissions;     /* enum permission; 0: those of the run */
    struct bytes key;         /* BYTES_NULL: the run's; in the arena */
};

/*
 * text:  the part before the first ':' is a container only if it has no '/'; forms with a prefix
 *        are in event/selector.h
 * cwd:   for relative host paths
 * -EINVAL: err says what is wrong and what to write.
 */
int target_parse(struct bytes text, struct bytes cwd, struct target *ret, struct err *err);
void target_done(struct target *target);
