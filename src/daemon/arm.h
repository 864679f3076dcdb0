/* SPDX-License-Identifier: MIT */
/* What the daemon watches: what its configuration asks for, and what somebody asked for beside it. One thread. */
#pragma once

#include "config/config.h"
#include "daemon/pipeline.h"
#include "daemon/transient.h"
#include "util/log.h"
#include "watch/change.h"

struct plan_ask;

struct arming_unarmed {
    struct bytes text; /* in the set's arena */
    const char *why;   /* the same */
};

/* One configuration's asks, as they are in force. */
struct arming_set {
    struct arena arena;
    struct plan_ask *asks; /* texts in the arena */
    size_t count;
    struct target *targets; /* the same, taken apart */
    struct arming_unarmed *unarmed; /* what cannot be watched, of groups, or does not answer */
    size_t unarmed_count;
    unsigned permissions;  /* of all */
};

struct arming {
    const struct log *log;
    struct pipeline *pipeline;
    struct transients transients;
    struct arming_set set;
    bool under_way;         /* something is watched already: events wait while a file system is asked */
    void *data;
    void (*alive)(void *data); /* called between steps that may take long */
};

/* In place of what is armed, transient watches stay. A failure changes nothing. -EBUSY: the last change is not over. */
int arm_configuration(struct arming *a, const struct config *c, struct watchset_difference *ret, struct err *err);
/* The same configuration, and the transient watches as they are now. A failure changes nothing that is armed. renew: the record begins a
 * new span of coverage; false: it is about nothing that anybody would ask for. */
int arm_transients(struct arming *a, bool renew, struct err *err);
void arming_done(struct arming *a);

/* Of what is asked for, what no watch of the configuration watches: enum permission; 0: all of it is watched. */
unsigned arming_uncovered(const struct arming *a, const struct target *target, unsigned permissions);
/* The configuration watches exactly this path, with all these permissions. */
bool arming_has(const struct arming *a, const struct target *target, unsigned permissions);
/* Of the host's own paths: does the file system say something, within half a second? Containers' always do. */
bool arming_answers(struct arming *a, struct bytes text);
