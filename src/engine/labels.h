/* SPDX-License-Identifier: MIT */
/*
 * Labels (Docker, Podman) and annotations (OCI, Kubernetes) of a container: kept for selection by
 * label, and read for what they say of the container: its Compose service, its pod, its name. Pure.
 */
#pragma once

#include "event/container.h"
#include "util/sbuf.h"

struct labels {
    struct sbuf text;
    bool truncated;
};

#define LABELS_INIT ((struct labels){ .text = SBUF_INIT })

/* Copies both. Empty keys and what holds a NUL are left out; what is too long sets `truncated`, but known labels are set in *c anyway. */
void labels_add(struct labels *l, struct container *c, struct bytes key, struct bytes value);
void labels_done(struct labels *l, struct container *c); /* container.labels is set */
