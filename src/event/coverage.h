/* SPDX-License-Identifier: MIT */
/*
 * What was observed and what could not be: every verdict states it, the store keeps it. What was not
 * watched is never "nothing happened": coverage_sum says how much of a question the record answers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/selector.h"
#include "util/bytes.h"

/* So begins the name of a directory in which culprit makes changes of its own, to see whether they come back right. Nobody asks for it. */
#define COVERAGE_SCRATCH ".culprit-doctor-"

/* One place that a watch looked at, as it was resolved. Symbolic links are followed, nothing is relative. */
struct coverage_place {
    enum selector_kind kind;       /* as the user asked: SELECTOR_NONE = the host's files */
    struct bytes runtime, selector; /* its text; of a volume: its name */
    struct bytes container_id, container_name; /* the container that it was then; empty: none, or not there yet */
    struct bytes path;             /* in the container; of a volume: below its directory; else the host's */
    struct bytes host_path;        /* where the host finds it; empty: not known */
    struct bytes target;           /* the watch's path, as it was asked for: links in it led here; empty: not recorded, as older records were */
    unsigned permissions;          /* enum permission that were watched */
    uint64_t from_ns;              /* CLOCK_REALTIME: watched there since */
};

/* It is such a directory. */
bool coverage_is_scratch(const struct coverage_place *place);

struct coverage {
    unsigned sensors;        /* enum sensor_bit, event/event.h */
    uint64_t from_ns, to_ns; /* CLOCK_REALTIME; to_ns 0 = still observing */
    bool unclean;            /* whoever observed was killed: what happened after to_ns is not in the record */
    uint64_t beat_ns;        /* of an unclean one: it lived then, at least, CLOCK_REALTIME */
    uint64_t gone_ns;        /* of an unclean one: it had ended by then */
    struct bytes watch;      /* the watch as the user wrote it */
    struct bytes not_seen;   /* one line in our words: what these sensors cannot see here */
    struct bytes host_id, host_name; /* the machine; empty: not recorded, as older records were */
    struct bytes narrowed;   /* options that left something out, as written; empty: none */

    /* Of an answer to a question: how far it covers what was asked for. */
    uint64_t begun_ns;       /* the whole span; what was asked for may have come to it later: from_ns */
    unsigned permissions;    /* watched; 0: not recorded, as older records were */
    struct bytes only;       /* only these places below what was asked for, each ended by a NUL; empty: all of it */
};

/* How much of one question was watched: coverage goes in, in any order. */
#define COVERAGE_SPANS 64

struct coverage_sum {
    uint64_t since_ns, until_ns;  /* asked for; 0 = open */
    unsigned permissions;         /* enum permission that the question is about */
    struct coverage_span {
        uint64_t from_ns, to_ns;  /* UINT64_MAX: still observing */
    } spans[COVERAGE_SPANS];      /* in which all of it was watched: in order, none touches another */
    unsigned count;
    bool more_spans;              /* than fit: then nothing is claimed of the whole time */
    bool partly;                  /* some of its paths or operations at least were watched, at some time */
    bool unknown_scope;           /* by a log that does not say of what */
};

enum coverage_extent {
    COVERAGE_NEVER,   /* not at all */
    COVERAGE_UNKNOWN, /* there are logs, and what their rules were about is not known */
    COVERAGE_PARTLY,  /* not all of its paths or operations */
    COVERAGE_AT_TIMES, /* all of it, but not all the time that was asked for; or no time was asked for */
    COVERAGE_WHOLE,   /* all of it, all that time */
};

/* One more span; nothing of it is kept by reference. */
void coverage_sum_add(struct coverage_sum *sum, const struct coverage *coverage);
/* now_ns: the end of an open question. */
enum coverage_extent coverage_sum_extent(const struct coverage_sum *sum, uint64_t now_ns);
const char *coverage_extent_name(enum coverage_extent extent); /* "never", "partly": for JSON */

/* What lies next to something that was never watched. */
struct coverage_nearest {
    struct bytes shown;      /* "web:/prd", "/var/log/app"; BYTES_NULL: nothing was ever watched */
    uint64_t from_ns, to_ns; /* to_ns 0: still */
};

/* How many kinds of change `not_seen` lists: its parts, separated by ", " or "; " outside of brackets. */
unsigned coverage_lacks(struct bytes not_seen);
