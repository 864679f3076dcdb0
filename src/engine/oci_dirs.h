/* SPDX-License-Identifier: MIT */
/*
 * Which state directories there are, found by patterns and followed by inotify as they come and go.
 * Not for other files than oci.c.
 */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"
#include "util/err.h"

struct oci_dirs;

struct oci_dirs_options {
    const char *prefix;
    void *data;
    /* A container's directory is there. runtime: as the place says; trusted: only root writes there. */
    void (*appeared)(void *data, const char *path, const char *runtime, bool trusted);
    /* Something was written or removed in it. name: which file; removed: it is gone now. */
    void (*changed)(void *data, const char *path, const char *name, bool removed);
    void (*vanished)(void *data, const char *path);
};

/* The options are copied, their prefix is borrowed. Nothing is looked at before oci_dirs_scan(). -ENOMEM, or that of inotify_init1(2). One thread. */
int oci_dirs_new(const struct oci_dirs_options *options, struct oci_dirs **ret, struct err *err);
void oci_dirs_free(struct oci_dirs *d); /* calls nobody; NULL is fine */
int oci_dirs_fd(const struct oci_dirs *d);  /* to be polled for reading; it stays ours */
void oci_dirs_scan(struct oci_dirs *d);     /* look at everything anew */
void oci_dirs_scan_unfollowed(struct oci_dirs *d); /* /tmp, which is too busy for inotify */
void oci_dirs_dispatch(struct oci_dirs *d); /* reads what inotify has reported */
unsigned oci_dirs_beyond(const struct oci_dirs *d); /* directories that could not be followed */
