/* SPDX-License-Identifier: MIT */
/* What is armed, for whoever asks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"

struct target;
struct watchset;

struct watch_listing {
    const struct target *target;
    unsigned permissions; /* enum permission */
    size_t objects;       /* places that are watched for it */
    bool missing;         /* the path did not exist when the watch began */
    bool waiting;         /* for a container, or the container does not run */
    bool failed;          /* it could not be looked up; that is tried again */
};

/* Of a container that runs: its files as it sees them. */
struct watch_merged {
    const struct target *target;
    uint32_t object; /* another one with each of its lives; later ones are greater */
    struct bytes victim_path, host_path; /* BYTES_NULL, or below /proc: nowhere else on the host */
};
void watchset_each_merged(const struct watchset *set, void (*each)(void *data, const struct watch_merged *merged), void *data);

/* Each that is armed and not being given up. Borrowed for the call. */
void watchset_each_listing(const struct watchset *set, void (*each)(void *data, const struct watch_listing *listing), void *data);
/* What the watch of this index (struct event) was made for, also while it is being given up; NULL: it is gone. */
const struct target *watchset_target(const struct watchset *set, uint32_t index);
