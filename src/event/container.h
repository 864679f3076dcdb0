/* SPDX-License-Identifier: MIT */
/*
 * Which container: the facts that an event, a process or a watch refers to. Reference-counted;
 * not changed once shared: a restart makes a new record with another start time.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "util/arena.h"
#include "util/bytes.h"

struct container {
    unsigned refs;
    struct arena arena;

    struct bytes id;      /* full, as the engine has it */
    struct bytes name;    /* without a leading '/' */
    struct bytes runtime; /* "docker", "podman", "containerd", "cri-o", "runc", "lxc", "nspawn" */
    struct bytes image_name;
    struct bytes compose_project, compose_service;
    struct bytes pod_namespace, pod_name, pod_container;
    struct bytes labels;  /* "key=value", each ended by a NUL; what was too long for us is not among them */
    struct bytes cgroup;  /* as /proc/PID/cgroup of its processes says, each path ended by a NUL: with cgroups of
                           * version 1 there may be several. BYTES_NULL: it has its id only */
    struct bytes health_check; /* argv of the command that the engine runs to see whether it is well, each argument ended
                           * by a NUL. BYTES_NULL: it has none, or it is not known */
    pid_t pid;            /* first process, in the initial pid namespace; 0 = not running */
    uint64_t created_ns;  /* CLOCK_REALTIME, 0 = unknown */
    uint64_t started_ns;  /* CLOCK_REALTIME of the last start, 0 = never or unknown */
};

struct container *container_new(void); /* one reference; NULL: out of memory */
struct container *container_ref(struct container *c); /* one reference more, and `c` again; NULL is fine. One thread */
void container_unref(struct container *c);            /* NULL is fine; the last one frees it */
void container_unrefp(struct container **c);          /* for cleanup attributes */
/* A new record of the same facts, to be changed before it is shared; NULL: out of memory. */
struct container *container_copy(const struct container *from);
/* What a label says; empty text where it says nothing, BYTES_NULL: it has none of that name. */
struct bytes container_label(const struct container *c, const char *name);
void container_set(struct container *c, struct bytes *field, struct bytes value);

/* What happened to a container; the timeline shows it between the events. */
enum lifecycle_kind {
    LIFECYCLE_CREATE = 1, /* stored: never reuse a number */
    LIFECYCLE_START = 2,
    LIFECYCLE_DIE = 3,
    LIFECYCLE_DESTROY = 4,
    LIFECYCLE_RENAME = 5,
    LIFECYCLE_PAUSE = 6,
    LIFECYCLE_UNPAUSE = 7,
    LIFECYCLE_OOM = 8,
    LIFECYCLE_COUNT
};

struct lifecycle_event {
    enum lifecycle_kind kind;
    uint64_t time_ns; /* CLOCK_REALTIME, as the engine says */
    struct container *container; /* owned reference */
    int exit_code;               /* LIFECYCLE_DIE; -1 = unknown */
    struct bytes previous_name;  /* LIFECYCLE_RENAME; owned by the container's arena */
};

