/* SPDX-License-Identifier: MIT */
/*
 * A container's tree as its layers make it up, read without mounting it: so also of one that is down, and
 * its image without its own layer. Overlay's rules: whiteouts, opaque and renamed directories, data left
 * in a lower layer (kernel's Documentation/filesystems/overlayfs.rst); those of fuse-overlayfs too. No
 * symbolic link is followed but by layers_resolve(), and none of a layer ever leads out of the layers.
 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>

#include "engine/merged.h"
#include "engine/view.h"
#include "util/arena.h"
#include "util/err.h"

struct layers {
    int *roots; /* O_PATH, topmost first; owned */
    size_t count;
};

/* Closes what it holds; empty and half-filled ones too. */
void layers_done(struct layers *l);
/* Layers that are not there are left out: an engine names some that it has deleted. -ENOENT: none. */
int layers_open(const struct bytes *directories, size_t count, struct layers *ret, struct err *err);
/* A container's own layer and its image's, or its plain root; and the image's alone (-ENOENT: it has none). */
int layers_of_container(const struct container_view *view, struct layers *ret, struct err *err);
int layers_of_image(const struct container_view *view, struct layers *ret, struct err *err);

/* What is at a path. */
struct layer_entry {
    int fd; /* O_PATH, of the topmost layer that has it; owned */
    size_t layer;
    struct stat st;
    int data_fd;          /* where a file's content lies, if not in fd: owned, else negative */
    struct merged merged; /* of a directory */
};

#define LAYER_ENTRY_NONE ((struct layer_entry){ .fd = -EBADF, .data_fd = -EBADF })
/* Closes what it holds; LAYER_ENTRY_NONE too. */
void layer_entry_done(struct layer_entry *e);

/* path: absolute; no link is followed. -ENOENT: nothing is there. */
int layers_lookup(const struct layers *l, struct bytes path, struct layer_entry *ret);
/* name: one component, NUL-terminated. */
int layers_lookup_in(const struct layers *l, const struct merged *directory, const char *name,
                     struct layer_entry *ret);

enum layer_mark { LAYER_MARK_NONE, LAYER_MARK_WHITEOUT, LAYER_MARK_OPAQUE };
/* What the topmost part of a directory says of a name that a lower one may have: that it was deleted (a whiteout), or that the whole
 * directory was made anew (it is opaque). *ret_fd: that whiteout, or the part itself, O_PATH; the caller's. */
enum layer_mark layers_mark(const struct merged *directory, const char *name, int *ret_fd);

/* Where symbolic links lead, as for a process in the container; what is not there is kept as it is. */
struct bytes layers_resolve(const struct layers *l, struct bytes path, bool follow_last,
                            struct arena *arena);
/* A regular file for reading, links followed; -errno as beneath_open_file(). */
int layers_open_file(const struct layers *l, struct bytes path);
