/* SPDX-License-Identifier: MIT */
/* run --user: whom COMMAND runs as, while culprit stays who it is. */
#pragma once

#include <sys/types.h>

#include "util/err.h"

struct identity {
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* owned */
    int group_count;
    char *name, *home, *shell; /* owned */
};

/* A name or a number of this host's. -ENOENT: there is none such. Looked up before culprit gives its privileges away. */
int identity_find(const char *text, struct identity *ret, struct err *err);
void identity_done(struct identity *identity);

/* In the child, before it executes: ids, groups and HOME, USER, LOGNAME, SHELL. -errno: it must not execute. */
int identity_take(const struct identity *identity);
