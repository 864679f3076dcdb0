/* SPDX-License-Identifier: MIT */
/*
 * The state directories of OCI runtimes: whoever starts a container by runc, crun or a shim of
 * containerd leaves there who it is, without a daemon that must be asked. They are followed by
 * inotify, and first processes by pidfd (kernel >= 5.3): a death is known when it happens.
 *
 * What lies below /run/user and /tmp is its user's to write: there a state file counts only if its
 * process is that user's.
 */
#pragma once

#include "engine/oci_json.h"
#include "util/log.h"

struct oci;

/* prefix: "" or, in tests, a directory that stands for the root of the file system. */
int oci_new(const char *prefix, const struct log *log, struct oci **ret, struct err *err);
void oci_free(struct oci *o); /* NULL is fine */

int oci_fd(const struct oci *o); /* readable when oci_dispatch() has work */
/* Emits the lifecycle events since the last call. They name the runtime; Podman's names come from its storage. */
void oci_dispatch(struct oci *o, void (*life)(void *data, const struct lifecycle_event *life), void *data);

/* The containers that a runtime has on record now; runtime NULL = all. Borrowed. Stops at non-zero. */
int oci_each(struct oci *o, const char *runtime, int (*each)(void *data, const struct oci_facts *f),
             void *data);
/* By id. NULL: none. */
const struct oci_facts *oci_find(struct oci *o, struct bytes id);

/* True while the first process lives and is still the one that was written down. */
bool oci_is_running(const struct oci_facts *facts);


