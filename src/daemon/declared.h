/* SPDX-License-Identifier: MIT */
/*
 * What applications declare themselves: the label culprit.watch of a container ("/prd /etc/app"), with culprit.watch.permissions and
 * culprit.watch.key. Only paths of the container itself. One thread.
 */
#pragma once

#include "daemon/arm.h"
#include "event/container.h"
#include "util/log.h"

#define DECLARED_PATHS 16

struct declaration {
    struct bytes value;               /* of the label; views into the container's labels */
    struct bytes paths[DECLARED_PATHS];
    size_t count;                     /* 0: the container declares nothing */
    unsigned permissions;             /* enum permission */
    struct bytes key;
};

/* Pure. -EINVAL: a label is wrong; err says what, without the container's name. */
int declaration_read(const struct container *c, struct declaration *ret, struct err *err);

struct declared {
    const struct log *log;
    struct transients *transients;
    struct declared_seen *seen; /* labels that were looked at, whatever was in them */
    unsigned count;
    bool stale;                 /* something was added that is not armed yet */
};
/* A container that there is, or that is being made. A wrong label is a warning, once. */
void declared_container(struct declared *d, const struct container *c);
void declared_done(struct declared *d);
