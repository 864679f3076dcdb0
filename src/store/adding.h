/* SPDX-License-Identifier: MIT */
/* Adding to a store that is open: what only the pipeline's thread has. For the files of this folder. */
#pragma once

#include "store/condition.h"
#include "store/handle.h"
#include "store/queue.h"
#include "store/spool.h"

struct open_coverage;

struct adding {
    struct sender *sender;
    uint64_t generation, buffers; /* of the queue's, which are known here */
    uint64_t coverages;
    struct open_coverage *open;
    struct spool *spool;       /* of the file that is written; NULL: there is none */
    uint64_t spool_file;       /* for which one it was made, or could not be */
    struct spool_numbers counted; /* of what was expected or added */
    uint64_t steps, steps_ns; /* of the attempt that is being made, and CLOCK_MONOTONIC since when; 0 = none is */
    struct logged_condition logged;
};

/* The spool of the file that is written, made anew for another file. NULL: there is none. *ret_stored, *ret_seen_ns: as far as it is
 * known now, set where there is one. Takes the lock. */
struct spool *adding_spool(struct store *s, struct spool_numbers *ret_stored, uint64_t *ret_seen_ns);

/* A message that was begun with adding_begin(). */
struct begun_message {
    struct condition condition;
    size_t before;
    struct missing_span gap; /* that was added in front of it */
};

/*
 * A message is appended to `filling` between the two. adding_begin() makes room below `max` bytes, waiting for it as the queue's
 * patience says, and returns with the queue's lock taken. False: there is no room, `event` is counted as missing, and the lock is
 * not taken. adding_end() gives the lock back; it returns 0, -ENOMEM (the message is not in the queue), or the error of the
 * writer's last attempt.
 * event: what is missing if there is no room; ADDING_NO_EVENT for a message that is no event
 */
bool adding_begin(struct store *s, size_t max, const struct missing_span *event, struct begun_message *ret);
int adding_end(struct store *s, const struct missing_span *event, struct begun_message *m);
/* What is missing becomes a gap without waiting for a next message. */
void adding_gap(struct store *s);
#define ADDING_NO_EVENT (&(const struct missing_span){ 0 })
