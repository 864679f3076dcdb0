/* SPDX-License-Identifier: MIT */
/* Deleted inodes as facts: those of a moment, counted by mode, owner, second, and the directory that
 * they are known to have been in. Pure. */
#pragma once

#include <stdbool.h>

#include "clues/fact.h"

#define DELETED_BURSTS_MAX 64
#define DELETED_GROUPS 9 /* groups around the directory's that are always looked at; more only while nothing was found */

/* Where they are looked for. */
struct deleted_place {
    int device;         /* open for reading; borrowed */
    int direct;         /* the same, past the cache, which may be older than the journal; -EBADF: there is none */
    uint64_t directory; /* its inode: what is asked for, or the nearest that is there above it */
    struct bytes path;  /* of that one, as it is to be called */
};

struct deleted_inode {
    uint64_t number;
    uint32_t mode, uid, gid;
    uint32_t deleted_s, deleted_ns; /* deleted_ns: 0 = not known */
    uint64_t born_ns; /* since the epoch; 0: not known */
    /* Of an older copy of a directory's block; empty: no name was found. They live as long as they are used. */
    struct bytes directory, name;
    uint64_t copy_ns; /* when the copy was made, or a moment later */
    bool below_gone;  /* not in that directory itself, but in one that it had, whose name is not known */
};

struct deleted_burst {
    uint32_t mode, uid, gid;
    uint64_t from_ns, to_ns;
    uint64_t born_from_ns, born_to_ns; /* 0: not known */
    uint64_t first; /* number */
    unsigned count;
    struct bytes directory;
    uint64_t copy_ns; /* of the newest */
    bool below_gone;
    struct sbuf names; /* a NUL behind each */
    unsigned unnamed;  /* whose names are not among them */
};

struct deleted_inodes {
    const struct clue_question *question;
    struct deleted_burst bursts[DELETED_BURSTS_MAX];
    size_t count;
    unsigned left_out;
};

/* Was it deleted at a moment? */
bool deleted_is_asked_for(const struct clue_question *q, const struct deleted_inode *d);
/* One more, if it was. */
void deleted_add(struct deleted_inodes *all, const struct deleted_inode *d);
/* All but what was left out, which is for the caller to say. */
void deleted_put(struct sbuf *answer, const struct deleted_inodes *all);
void deleted_done(struct deleted_inodes *all);
