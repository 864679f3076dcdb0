/* SPDX-License-Identifier: MIT */
/*
 * A directory of our own in one that somebody else may rearrange while we work: a user's directory, a
 * container's. Whoever may write there can rename ours, put another in its place, and, as a container's
 * root, also exchange what is in it. So it is used by its descriptor and never by its path; whether it is gone at the
 * end is found by the descriptor, too.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "event/coverage.h"
#include "util/err.h"

struct scratch_directory {
    int parent, dir; /* O_PATH of the folder that it was made in; the directory */
    char name[48];   /* in the parent */
    struct stat st;  /* of dir, when it was made */
};

#define SCRATCH_INIT ((struct scratch_directory){ .parent = -EBADF, .dir = -EBADF })
#define SCRATCH_PREFIX COVERAGE_SCRATCH

/* ".culprit-doctor-" and what nobody can know before. */
int scratch_name(char *ret, size_t size);

/* Made with mode 0700 and no access list. parent: taken over, also on failure.
 * -ESTALE: what is found under the name is not what was made. */
int scratch_make(int parent, const char *name, struct scratch_directory *ret, struct err *err);

/* Is `fd`, opened by another way, this directory? On another file system the identity says nothing (an
 * upper layer behind its overlay): then whether it is one that only we could have made there. */
bool scratch_is(const struct scratch_directory *s, int fd);

/* Does its name still lead to it? */
bool scratch_in_place(const struct scratch_directory *s);

/* An O_PATH descriptor of what is called `name` in it, no link followed, no mount crossed; or -errno. */
int scratch_open_path(int dir, const char *name);

/* Empties and removes it, wherever it is by now. -ENOTEMPTY with a text that says what is left and where.
 * The descriptors stay open; scratch_done() closes them. */
int scratch_remove(struct scratch_directory *s, struct err *err);
void scratch_done(struct scratch_directory *s);
