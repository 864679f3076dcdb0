/* SPDX-License-Identifier: MIT */
/* One row of the table of engines: what each container engine can be asked. */
#pragma once

#include "attribution/engine.h"

struct engine_ops {
    const char *name; /* also container.runtime */
    /* socket: where to ask instead of the usual places, or NULL. Never fails for an engine that is
     * not there; it is tried again when it is asked. */
    int (*open)(const struct engines_options *options, void **ret, struct err *err);
    void (*close)(void *engine);
    bool (*present)(void *engine, char *text, size_t size); /* text: version, or what is missing */
    /* All containers, running or not: short records (id, name, image, labels). */
    int (*list)(void *engine, int (*each)(void *data, struct container *c), void *data,
                struct err *err);
    int (*view)(void *engine, struct bytes id, struct container_view *ret, struct err *err);
    /* The stream of moments; NULL where the engine has none. */
    int (*fd)(void *engine);
    int (*dispatch)(void *engine, void (*life)(void *data, const struct life *life), void *data,
                    struct err *err);
};

extern const struct engine_ops docker_engine_ops;
