/* SPDX-License-Identifier: MIT */
/* What was observed and what could not be: every verdict states it, the store keeps it. */
#pragma once

#include <stdint.h>

#include "util/bytes.h"

struct coverage {
    unsigned sensors;        /* enum sensor_bit, event/event.h */
    uint64_t from_ns, to_ns; /* CLOCK_REALTIME; to_ns 0 = still observing */
    struct bytes watch;      /* the watch as the user wrote it */
    struct bytes not_seen;   /* one line in our words: what these sensors cannot see here */
};
