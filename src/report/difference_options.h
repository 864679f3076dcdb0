/* SPDX-License-Identifier: MIT */
/* What a page of differences is of, and what is known at its end. */
#pragma once

#include "event/ecs.h"

struct difference_page_options {
    bool json;
    bool colour;
    unsigned columns;     /* 0 = whole lines */
    struct bytes store;   /* where the record is, if not at the usual place */
    struct bytes target;  /* as the user wrote it */
    struct bytes against; /* "its image shop:1.4", "2026-11-24 14:00:00.000" */
    const struct container *container; /* borrowed; NULL: the host's files */
    bool volume;          /* the path is a volume's */
    const struct ecs_host *host; /* borrowed; json */
};

struct difference_end {
    uint64_t watched_since;  /* 0: nobody has ever watched */
    struct bytes watched_partly; /* what of it was watched, if never all of it was; escaped */
    uint64_t temporary;      /* paths that came and went */
    uint64_t lost;           /* events lost in that time, as far as counted */
    bool lossy;
};
