/* SPDX-License-Identifier: MIT */
/*
 * An overlay opens nothing by its handles. But what was made in it is a file of its upper layer, and its handle holds that
 * file's own: by that it is found where it is now, and by its place there in the overlay.
 */
#pragma once

#include "sensor/fanotify/handles.h"

struct fanotify_layer;

/* The upper layer's handle in one of an overlay's. False: it holds none of it. Pure; views point into the input. */
bool fanotify_layer_decode(const struct fanotify_handle *handle, struct fanotify_handle *ret);

uint64_t fanotify_layer_mount(int fd); /* the number of the mount that it is on; 0: not known (before Linux 5.8) */
/* The upper layer of the overlay that is mounted as that number. mountinfo: the table of its mount namespace; root: where that
 * begins, trusted ("/proc/7/root"; empty for our own). -ENOENT: it is no overlay, or has none. */
int fanotify_layer_find(uint64_t mount, const char *mountinfo, struct bytes root, struct fanotify_layer **ret);
void fanotify_layer_free(struct fanotify_layer *l); /* NULL is fine */
/* What that handle of the overlay stands for, O_PATH; the caller closes. -ESTALE: it has no name any more, or is none of this layer. */
int fanotify_layer_open(const struct fanotify_layer *l, const struct fanotify_handle *handle);
/* Was it copied up, or moved, from a layer below? Not: a directory is all in this layer, with nothing below it in others. 1, 0; -ESTALE: it is
 * not there any more, or is none of this layer. */
int fanotify_layer_from_below(const struct fanotify_layer *l, const struct fanotify_handle *handle);
int fanotify_layer_fd(const struct fanotify_layer *l); /* of the layer's top; stays its own */

/* From the handles of an upper layer to those of its overlay. */
struct fanotify_layer_key {
    uint64_t layer_fsid, fsid; /* of the layer's file system, and of the overlay */
    char head[24];             /* what the overlay has before the layer's handle, but for length and type */
};

int fanotify_layer_key(const struct fanotify_layer *l, struct fanotify_layer_key *ret); /* -errno */
/* An event of the layer in the overlay's terms, as the kernel would write it but for the pidfd, with from_layer. Pure. Returns the length; 0: it is none of that file system, or does not fit. */
size_t fanotify_layer_translate(const struct fanotify_layer_key *key, const struct fanotify_event *e, char *out, size_t size);
