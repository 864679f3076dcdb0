/* SPDX-License-Identifier: MIT */
/*
 * The client on this host that had an engine's daemon remove a container or a volume: `docker rm`, `docker volume rm`, `docker-compose
 * down -v`, prune and their like, by its command line. Pure.
 */
#pragma once

#include "attribution/start_client.h"

/* What was removed, as far as it is known. */
struct removal {
    const struct container *container; /* whose files they were; NULL: not known */
    struct bytes volume;               /* the volume's name; empty: they were in the container's own layer */
    uint64_t time_ns, ended_ns;        /* CLOCK_BOOTTIME: of the removal; the end of the container's last life, 0 = not known to have ended */
};

/* Did it ask for that? True only where the command line names it, or all of its kind, without asking its user first. */
bool removal_client_asks(const struct start_client *client, const struct removal *removal);
/* The volume's name, by a path of the host at or below the volume's directory: "/var/lib/docker/volumes/NAME/_data/a". Empty: it is none. */
struct bytes removal_volume(struct bytes host_path);
