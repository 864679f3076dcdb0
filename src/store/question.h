/* SPDX-License-Identifier: MIT */
/* What is asked of the store. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/selector.h"
#include "util/bytes.h"

struct store_query {
    /* Victim: BYTES_NULL = the host's files; else the text of a selector of that kind (SELECTOR_NONE as
     * SELECTOR_NAME: a name, id or id prefix), also of containers that are gone. any_victim: both. */
    struct bytes container, runtime;
    enum selector_kind kind;
    bool any_victim;
    struct bytes path;      /* this file, and everything below it; BYTES_NULL = all */
    struct bytes host_path; /* where the host finds a container's `path`, so that what was recorded there is found
                             * too; BYTES_NULL = not known */
    bool host_is_mount;     /* it is a volume's or a bind mount's: what was recorded there is the same by the container's names. In an
                             * overlay's layer it is not (whiteouts) */
    uint64_t since_ns, until_ns; /* CLOCK_REALTIME; 0 = open */
    uint64_t operations;    /* bit 1 << enum operation; 0 = all */
    uint64_t limit;         /* 0 = no limit; the oldest come first */
    bool no_cause;          /* nobody looks at what was behind a change (event.cause): it is not found */
    bool watch_floors;      /* the store's own: see store/floor.h */
};
