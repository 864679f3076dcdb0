/* SPDX-License-Identifier: MIT */
/*
 * What one sensor saw of a change, as far as it decides whether two sights are of the same one: by the same
 * watch, path, operation class, actor and outcome.
 */
#pragma once

#include "event/event.h"

struct sight {
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
struct sight sight_of(const struct event *e);
uint64_t sight_hash(const struct sight *s); /* of what two sights of one change have in common */

/* In which way two sights may be of one change, the best first. */
enum likeness { SAME_NAME, MODE_BY_ACL, CONCLUDED, LIKENESSES };

bool sight_is_same(const struct sight *a, const struct sight *b, enum likeness likeness);

/* Does one of them say something of the actor or the operation that it concluded? */
bool sight_presumes(const struct sight *s);

/* One of them is a look at a file; the other is the call that may have set its mode by way of an ACL. */
bool sight_is_looked_up_mode(const struct sight *s);
bool sight_may_set_acl(const struct sight *s);
