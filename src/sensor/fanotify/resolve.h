/* SPDX-License-Identifier: MIT */
/*
 * From what an event names to what is there now: by the directory and the name, or by the object's handle. Descriptors
 * of directories are borrowed until the end of the batch; those of objects are the caller's.
 */
#pragma once

#include "sensor/fanotify/state.h"

/* Look at a name and note in the index what is there now; attributes that differ wait for their event
 * (unexplained.h). ret: empty where it fails. -ESTALE: the directory is not there any more; else -errno. */
int fanotify_look(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_cause *cause, struct tree_change *ret);
/* When the file there was made, CLOCK_REALTIME; 0 = not known. */
uint64_t fanotify_born(struct fanotify_object *o, uint32_t directory, struct bytes name);
/* An object by its handle, wherever it is now, O_PATH; the caller closes. -ESTALE: it is gone. */
int fanotify_open_handle(struct fanotify_object *o, const struct fanotify_handle *handle);
/* Where a directory is by its handle, as a path of the host. -ENOENT: it is gone, or of another mount namespace. */
int fanotify_resolve(struct fanotify_object *o, const struct fanotify_handle *handle, struct sbuf *out);
