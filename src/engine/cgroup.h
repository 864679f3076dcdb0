/* SPDX-License-Identifier: MIT */
/* What a cgroup path says of its processes: container and systemd unit. Pure. */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"

struct cgroup_container {
    struct bytes id;     /* 64 hexadecimal digits, or a machine's name; views into the path */
    const char *runtime; /* "docker", "podman", ...; NULL if the path does not say */
};

/*
 * Both drivers and both versions: /docker/ID, /system.slice/docker-ID.scope, .../libpod-ID[.scope],
 * .../cri-containerd-ID.scope, .../crio-ID.scope, /kubepods/.../ID, /lxc/NAME, /lxc.payload.NAME,
 * /machine.slice/machine-NAME.scope. Of nested containers the innermost. False: none.
 */
bool cgroup_container(struct bytes cgroup, struct cgroup_container *ret);

/* The innermost systemd unit or scope ("nginx.service"); BYTES_NULL if there is none. Slices do not
 * count, nor do scopes of containers. */
struct bytes cgroup_unit(struct bytes cgroup);
