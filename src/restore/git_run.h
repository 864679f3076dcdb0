/* SPDX-License-Identifier: MIT */
/*
 * git, asked about a work tree that somebody else may have prepared: it runs as the tree's owner, without capabilities, environment,
 * terminal and the machine's configuration; and by seccomp it cannot start any program, open a socket or signal anybody, so that hooks, filters,
 * monitors of files, remote helpers and whatever else a configuration names are not run.
 */
#pragma once

#include <sys/types.h>

#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"

struct git_tree {
    int fd;             /* the work tree's top, O_PATH; owned */
    struct bytes path;  /* absolute, no link in it; borrowed */
    uid_t uid;          /* whose it is, and its .git */
    gid_t gid;
};

/*
 * arguments: of git, NULL behind the last one; 24 at most. input: what it reads. What it prints is appended to `out`, `max` bytes at most.
 * 0; 1: there was more than that; -ENOENT: there is no git; -EBADMSG: it failed; -ETIMEDOUT. No thread may have been started before.
 */
int git_run(const struct git_tree *tree, const char *const *arguments, struct bytes input, size_t max, struct sbuf *out, struct err *err);
