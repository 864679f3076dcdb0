/* SPDX-License-Identifier: MIT */
/*
 * What one sensor saw of a change, as far as it decides whether two observations are of the same one: by the same
 * watch, path, operation class, actor and outcome.
 */
#pragma once

#include "event/event.h"

struct observation {
    uint32_t watch;
    enum operation operation;
    unsigned sensors; /* enum sensor_bit: whose it is */
    bool failed, actor_presumed, operation_presumed;
    pid_t pid;
    uint64_t start_ns;            /* of the actor; 0 = unknown */
    struct bytes path, previous_path;
    uint64_t from_ns, until_ns;   /* when it was, CLOCK_BOOTTIME; until_ns 0 = not known */
};

/* Its bytes are the event's. */
struct observation observation_of(const struct event *e);
uint64_t observation_hash(const struct observation *s); /* of what two observations of one change have in common */

/* Where changes are kept by that hash and by the set of sensors that has seen them: only what other sensors have seen is searched, so that a
 * storm of one sensor's changes to one file never meets itself. */
uint64_t observation_bucket_hash(uint64_t hash, unsigned sensors);
/* seen_by: 1 << each set of sensors that occurs. The next set after `last` that has none of `sensors`; 0: there is none, and where to begin. */
unsigned observation_next_set(uint32_t seen_by, unsigned sensors, unsigned last);

/* In which way two observations may be of one change, the best first. */
enum likeness { SAME_NAME, MODE_BY_ACL, CONCLUDED, LIKENESSES };

/* Of the same watch and actor, of the same paths as far as both know them, with the same outcome, and alike in that way. Pure. a:
 * kept; b: the new one. */
bool observation_is_same(const struct observation *a, const struct observation *b, enum likeness likeness);

/* Does one of them say something of the actor or the operation that it concluded? */
bool observation_presumes(const struct observation *s);

/* One of them is a look at a file; the other is the call that may have set its mode by way of an ACL. */
bool observation_is_looked_up_mode(const struct observation *s);
bool observation_may_set_acl(const struct observation *s);
