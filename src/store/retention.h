/* SPDX-License-Identifier: MIT */
/* For how long a record is kept. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"

#define RETENTION_AGE_MIN_NS (3600 * NS_PER_S)
#define RETENTION_COMPACT_NS (3600 * NS_PER_S)
#define RETENTION_SIZE_MIN (16ull << 20)

/* Events of one watch, as they name it (struct event, watch_text), that are kept for a shorter time than others. */
struct store_watch_retention {
    struct bytes watch;
    uint64_t age_ns;
};

struct store_retention {
    uint64_t age_ns;  /* 0: for ever */
    uint64_t size;    /* bytes of the file that are in use; 0: any */
    bool give_up_oldest; /* where the disk is full: room is made for what comes; false: that waits, and what does not fit is a gap */
    uint64_t compact_ns; /* older rows become blocks; 0: never */
    const struct store_watch_retention *watches;
    size_t watch_count;
};
