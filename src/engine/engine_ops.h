/* SPDX-License-Identifier: MIT */
/* One row of the table of engines: what each container engine can be asked. */
#pragma once

#include "engine/oci.h"
#include "engine/options.h"
#include "util/arena.h"
#include "util/err.h"
#include "util/sbuf.h"

struct engine_ops {
    const char *name; /* also container.runtime; rows of one engine by different means have the same */
    /* A daemon is asked, which may hang: a thread of its own does it (engine_ask.h), so that list,
     * view, volume and present must not touch what open, fd and dispatch use. */
    bool remote;
    /* Never fails for an engine that is not there; it is looked for again when it is asked.
     * oci: borrowed, the runtimes' state directories. */
    int (*open)(const struct engines_options *options, struct oci *oci, void **ret, struct err *err);
    void (*close)(void *engine);
    /* Is there a daemon's socket at all? Called by whoever asks, before the thread is troubled. */
    bool (*there)(void *engine);
    /* Called from another thread: the question that is being asked is to end now. Both: NULL if !remote. */
    void (*interrupt)(void *engine);
    bool (*present)(void *engine, char *text, size_t size); /* text: version, or what is missing */
    /* All containers, running or not: short records (id, name, image, labels). */
    int (*list)(void *engine, int (*each)(void *data, struct container *c), void *data,
                struct err *err);
    /* word: a name, an id, or an id's beginning. -ENOENT; -EEXIST: several. */
    int (*view)(void *engine, struct bytes word, struct container_view *ret, struct err *err);
    /* Where a volume's files are on the host; NULL: the engine has no volumes. -ENOENT */
    int (*volume)(void *engine, struct bytes name, struct arena *arena, struct bytes *ret,
                  struct err *err);
    /* What the engine still remembers of what was done with a container, a JSON object a line; NULL: it remembers nothing. id: as in
     * engines_recent(). */
    int (*recent)(void *engine, struct bytes id, struct sbuf *ret, struct err *err);
    /* The stream of lifecycle events; NULL where the engine has none, or they come from the state directories. */
    int (*fd)(void *engine);
    int (*dispatch)(void *engine, void (*life)(void *data, const struct lifecycle_event *life), void *data,
                    struct err *err);
};

extern const struct engine_ops docker_engine_ops;
extern const struct engine_ops podman_api_engine_ops;
extern const struct engine_ops podman_engine_ops;
extern const struct engine_ops containerd_engine_ops, crio_engine_ops, runc_engine_ops, crun_engine_ops;
extern const struct engine_ops lxc_engine_ops, nspawn_engine_ops;
