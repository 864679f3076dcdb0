/* SPDX-License-Identifier: MIT */
/*
 * The client on this host that had a container started: `docker run`, `podman start`, `docker-compose up` and their like, by its
 * command line. Pure.
 */
#pragma once

#include "event/container.h"

struct start_client {
    struct bytes args;              /* each ended by a NUL */
    struct bytes working_directory; /* whose name is compose's project where none is given; BYTES_NULL: not known */
};

/*
 * Did it ask for the start of this container, whose first process has these arguments (script: what became its interpreter by #!, as
 * `args` have it; BYTES_NULL: none)? True only where the command line names the container, or has its image and what is run in it,
 * and no other name.
 */
bool start_client_asks(const struct start_client *client, const struct container *container, struct bytes args, struct bytes script);
