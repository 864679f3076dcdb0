/* SPDX-License-Identifier: MIT */
/*
 * What files should be like, by a list of somebody's (a package's, git's index), compared with what they are: two jobs, one that
 * understands the lists, one that only looks at attributes and makes checksums.
 */
#pragma once

#include "clues/clues.h"

struct original {
    struct bytes path;
    struct bytes owner; /* "package foo", "git's index in /srv/x/.git" */
    struct bytes md5;   /* hexadecimal; empty: not known */
    uint64_t size, mtime_s; /* of git's index; mtime_s 0: not known */
};

/* An answer of the first job is a row of these. */
void original_put(struct sbuf *out, const struct original *o);
int original_get(struct bytes *in, struct original *ret); /* views. -EBADMSG */

/* The lists of dpkg; an index of git. Pure: the rows of the files at or below the path. */
void original_dpkg(struct sbuf *out, const struct clue_question *q, struct bytes package, struct bytes list, struct bytes md5sums);
int original_git(struct sbuf *out, const struct clue_question *q, struct bytes tree, struct bytes index);

/* The source's `ask`. */
int original_ask_packages(struct clues *c, unsigned source, struct err *err);
int original_ask_git(struct clues *c, unsigned source, struct err *err);
