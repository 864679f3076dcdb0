/* SPDX-License-Identifier: MIT */
/* What the engines are opened with, and what each says of itself. */
#pragma once

#include <stdbool.h>

#include "event/container.h"
#include "util/log.h"

struct engines_options {
    const struct log *log;
    const char *docker_socket; /* NULL = DOCKER_HOST was not given: /run/docker.sock, /var/run/docker.sock */
    void (*life)(void *data, const struct lifecycle_event *life); /* called from engines_dispatch() */
    void *data;
};

struct engine_state {
    const char *name;
    bool present;
    unsigned containers;
    char text[256]; /* version, or what is missing */
};

#define ENGINE_VOLUME "volume/" /* before the name of a volume, where else a container is meant */
