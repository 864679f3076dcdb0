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

/* The upper layer of the overlay that `mount` is a directory of. mountinfo: the table of its mount namespace; root: where that
 * begins, trusted ("/proc/7/root"; empty for our own). -ENOENT: it is no overlay, or has none. */
int fanotify_layer_find(int mount, const char *mountinfo, struct bytes root, struct fanotify_layer **ret);
void fanotify_layer_free(struct fanotify_layer *l); /* NULL is fine */
/* What that handle of the overlay stands for, O_PATH; the caller closes. -ESTALE: it has no name any more, or is none of this layer. */
int fanotify_layer_open(const struct fanotify_layer *l, const struct fanotify_handle *handle);
