/* SPDX-License-Identifier: MIT */
/*
 * The client on this host that had a container started: `docker run`, `podman start`, `docker-compose up` and their like, by its
 * command line. Pure.
 */
#pragma once

#include "event/container.h"

struct start_client {
    struct bytes args;              /* each ended by a NUL */
    uint64_t start_ns;              /* CLOCK_BOOTTIME; 0 = not known */
    struct bytes working_directory; /* whose name is compose's project where none is given; BYTES_NULL: not known */
};

/* Is one of these arguments its name, its id or the beginning of that? */
bool start_client_names(struct bytes rest, const struct container *c);
/* Of compose: the project as its arguments before the verb have it, else the folder whose name that is. */
struct bytes start_client_project(const struct start_client *client, struct bytes before);
bool start_client_is_project(struct bytes asked, struct bytes project);
/* Do its arguments behind the verb name that service, or none, which means all of them? */
bool start_client_means(struct bytes rest, struct bytes service);
/*
 * Did it ask for the start of this container, whose first process has these arguments (script: what became its interpreter by #!, as
 * `args` have it; BYTES_NULL: none)? True only where the command line names the container, or has its image and what is run in it,
 * and no other name.
 */
bool start_client_asks(const struct start_client *client, const struct container *container, struct bytes args, struct bytes script);
