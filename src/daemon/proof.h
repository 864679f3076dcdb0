/* SPDX-License-Identifier: MIT */
/* One change of each kind was made (daemon/changes.h): does what came out say so? Of `doctor TARGET`, and of the daemon's heartbeat. */
#pragma once

#include <stddef.h>

#include "event/event.h"

enum proof_outcome {
    PROOF_RIGHT,
    PROOF_DECLARED, /* no event: the sensors declare that they cannot see it, or the file system does not have it; or one that says what is not known */
    PROOF_WRONG,    /* no event, or a wrong one */
};

/* The facts that are compared, of events as they came. {0} is a beginning. */
struct proof_seen {
    struct event **events;
    size_t count, size;
};

void proof_add(struct proof_seen *seen, const struct event *event); /* a copy; 4,096 at most */
/* Frees the copies; it is empty after that. */
void proof_done(struct proof_seen *seen);

/* What was done, by whom. */
struct proof_made {
    const char *place;  /* the scratch directory, as whoever made the changes opened it */
    pid_t pid;          /* in the initial pid namespace */
    const int *errors;  /* of each change: 0, or why the system did not let it happen */
    uint64_t has;       /* enum capability: of the sensors that looked on */
    bool confined;      /* who made them may not do all of it: what failed says nothing */
};

/* change: an index of `changes`. Returns what is wrong, or why it is not reported, in our words; "" if it is right. */
const char *proof_judge(const struct proof_seen *seen, const struct proof_made *made, size_t change, enum proof_outcome *ret);
