/* SPDX-License-Identifier: MIT */
/* What the user typed: `[CONTAINER:]PATH`, taken apart but not yet looked up. */
#pragma once

#include "util/arena.h"
#include "util/bytes.h"
#include "util/err.h"

enum target_kind {
    TARGET_HOST,      /* a host path */
    TARGET_CONTAINER, /* a container's name, id or id prefix */
    TARGET_COMPOSE,   /* compose:PROJECT/SERVICE, every replica */
    TARGET_POD,       /* pod:NAMESPACE/NAME[/CONTAINER] */
};

struct target {
    struct arena arena;
    enum target_kind kind;
    struct bytes text;      /* as written */
    struct bytes container; /* what stands before the path's colon; without "compose:" or "pod:" */
    struct bytes path;      /* absolute, normalised: no ".", "..", doubled or trailing slash */
};

/*
 * text:  what stands before the first ':' is a container only if it holds no '/'
 * cwd:   for relative host paths
 * -EINVAL: err says what is wrong and what to write.
 */
int target_parse(struct bytes text, struct bytes cwd, struct target *ret, struct err *err);
void target_done(struct target *target);
