/* SPDX-License-Identifier: MIT */
/* Deleted inodes as facts: those of a moment, counted by mode, owner and second. Pure. */
#pragma once

#include "clues/fact.h"

#define DELETED_BURSTS_MAX 64
#define DELETED_GROUPS 9 /* groups around the directory's that are always looked at; more only while nothing was found */

struct deleted_inode {
    uint64_t number;
    uint32_t mode, uid, gid;
    uint32_t deleted_s, deleted_ns, born_s; /* deleted_ns, born_s: 0 = not known */
};

struct deleted_burst {
    uint32_t mode, uid, gid;
    uint64_t from_ns, to_ns;
    uint32_t born_from_s, born_to_s;
    uint64_t first; /* number */
    unsigned count;
};

struct deleted_inodes {
    const struct clue_question *question;
    struct deleted_burst bursts[DELETED_BURSTS_MAX];
    size_t count;
    unsigned left_out;
};

/* One more, if it was deleted at a moment. */
void deleted_add(struct deleted_inodes *all, const struct deleted_inode *d);
void deleted_put(struct sbuf *answer, const struct deleted_inodes *all);
