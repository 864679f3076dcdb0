/* SPDX-License-Identifier: MIT */
/*
 * A container's own files, for names and package lists: beneath the root of its first process, or from its
 * layers while it is down. Everything read here is the container's to write: regular files only, bounded,
 * and no path leads out of it (util/beneath.h).
 */
#pragma once

#include <errno.h>

#include "engine/engine.h"
#include "engine/layers.h"
#include "util/sbuf.h"

struct inside {
    int root; /* O_PATH; -EBADF: layers are used */
    struct layers layers;
};

#define INSIDE_NONE ((struct inside){ .root = -EBADF })

/* Where a container's files are, as a text that can be handed to a worker (foreign/foreign.h): processes whose
 * root they are below, in the order in which they are tried, or layers. */
void inside_by_process(struct sbuf *place, pid_t pid); /* of a process that is not there: nothing */
void inside_by_root(struct sbuf *place, struct bytes directory);
/* Of one that may be down. -ENOENT: it is gone, and its layers with it. */
int inside_by_engine(struct sbuf *place, struct engines *engines, const struct container *c);

/* In a worker. -ENOENT: nothing of it is there (any more). */
int inside_open(struct bytes place, struct inside *ret);
void inside_done(struct inside *in);

/* Links followed. -EFBIG: more than `max` bytes. NUL behind it; caller frees. */
int inside_read(const struct inside *in, const char *path, size_t max, char **ret, size_t *ret_len);
int inside_stat(const struct inside *in, const char *path, struct stat *ret); /* of a regular file */
/* The names in a directory, each ended by NUL. */
int inside_list(const struct inside *in, const char *path, struct sbuf *names, size_t *ret_count);
