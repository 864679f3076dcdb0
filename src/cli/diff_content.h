/* SPDX-License-Identifier: MIT */
/* diff --content: what changed in files between kept copies and now, or another time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/container.h"
#include "util/bytes.h"

struct diff_content {
    const char *store_path;      /* the copies lie beside it */
    struct bytes path;           /* of the host, absolute; ended by NUL */
    struct bytes base;           /* in front of it: a container's root as it is mounted on the host; empty: the host's own */
    const struct container *container; /* NULL: the host */
    uint64_t since_ns, until_ns; /* CLOCK_REALTIME; 0: the oldest copy; as it is now */
    bool json;
};

/* Prints it. The exit status. */
int diff_content(const struct diff_content *q);
