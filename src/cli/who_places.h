/* SPDX-License-Identifier: MIT */
/* Several targets of one question: which of them lie within one another, so that no change counts twice. */
#pragma once

#include "event/event.h"
#include "store/query.h"
#include "util/err.h"
#include "watch/target.h"

struct who_place {
    struct target target;
    struct bytes path;  /* where its links lead, of a container's once it was asked for; in the target's arena */
    bool same;          /* one before it is the same: it is not asked for */
    bool covered;       /* it lies within another one, which has its changes */
    bool former;        /* where a target led from since_ns to until_ns: its changes of that time belong to the answer */
    uint64_t since_ns, until_ns; /* CLOCK_REALTIME; until_ns 0 = open */
};

struct counted_once; /* who_places.c */

struct who_places {
    struct who_place *at; /* owned */
    size_t count, former_count; /* former ones are behind `count` others */
    struct counted_once *counted;
    bool mixed;  /* of several selectors: two of them may be one place */
    bool unsure; /* not all could be compared: what two have in common may have counted twice */
};

/* links: those of this host's paths are followed, as they are now. -ETIMEDOUT: the file system of one does not answer; asked before anything else is. */
int who_places_parse(struct who_places *p, char *const *targets, size_t count, struct bytes cwd, bool links, struct err *err);
/* Is it, or what it lies in, one of those that are asked for anyway, by where their links lead now? */
bool who_places_asked(const struct who_places *p, const struct who_place *former);
/* Adds where the place numbered `at` led from then to then. */
int who_places_add_former(struct who_places *p, size_t at, const struct store_former *former);
void who_places_done(struct who_places *p); /* zeroed is fine */

/* False: it was asked before about this one. What can be found for two targets neither of which lies in the other is kept: files that went
 * from one to the other, gaps; where they are mixed, all. */
bool who_places_new_event(struct who_places *p, const struct event *event);
bool who_places_new_gap(struct who_places *p, const struct gap *gap);
