/* SPDX-License-Identifier: MIT */
/* Differences as they come: text with long runs folded, or one JSON object each; then what they come to. */
#pragma once

#include "event/difference.h"
#include "event/ecs.h"
#include "event/sentence.h"

struct difference_page;

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

/* The options' texts, container and host are borrowed until difference_page_free(). NULL: out of memory. */
struct difference_page *difference_page_new(const struct difference_page_options *options);
void difference_page_free(struct difference_page *p);

/* One more; what can be printed at once is appended to `out`, equal neighbours are counted and printed later. 0 or -ENOMEM. */
int difference_page_add(struct difference_page *p, const struct difference *d, struct sbuf *out);
/* How many were added. */
uint64_t difference_page_count(const struct difference_page *p);

struct difference_end {
    uint64_t watched_since;  /* 0: nobody has ever watched */
    struct bytes watched_partly; /* what of it was watched, if never all of it was; escaped */
    uint64_t temporary;      /* paths that came and went */
    uint64_t lost;           /* events lost in that time, as far as counted */
    bool lossy;
};
/* The last lines: how many, by whom. */
void difference_page_end(struct difference_page *p, const struct difference_end *end, struct sbuf *out);
