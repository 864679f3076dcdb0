/* SPDX-License-Identifier: MIT */
/*
 * Keeps copies of what is watched, in a process of its own: a file system that never answers costs the copies alone, and whoever observes never waits for
 * a disk. If somebody kills it, it is begun anew, and what was between is a time without copies. It opens and reads what others own, and understands nothing of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "copies/report.h"
#include "event/event.h"
#include "util/err.h"

struct copies_keeper;

struct copies_choice {
    struct bytes path; /* of the host, absolute, without links */
    bool keep;         /* false: left, though what is around it is kept */
};

/* Before there are threads. directory: copies_directory(). limit: bytes on disk. -EBUSY: others keep copies there; err says so. */
int copies_keeper_start(const char *directory, uint64_t limit, struct copies_keeper **ret, struct err *err);
/* What was asked for is done first; for five seconds. NULL is fine. */
void copies_keeper_end(struct copies_keeper *k);

/* All that is at and below the path: of the host, absolute. */
void copies_keeper_watch(struct copies_keeper *k, struct bytes path);
/* The same in a container's root, which is mounted at the first point_len bytes while it runs: its files are kept by their path there. False: try
 * again. */
bool copies_keeper_watch_mounted(struct copies_keeper *k, struct bytes path, size_t point_len);
/* In place of all that was watched: the innermost that covers a path decides. What else changes is not kept. False: try again. */
bool copies_keeper_choose(struct copies_keeper *k, const struct copies_choice *choices, size_t count);
/* What is older is removed; at least half of that time is kept. 0: for ever, as far as the limit goes. */
void copies_keeper_age(struct copies_keeper *k, uint64_t age_ns);
/* A change of the host's files, or of a container's own: what is there now is kept; never waits. */
void copies_keeper_event(struct copies_keeper *k, const struct event *event);

/* Waits until all that is watched was walked through once. False: not yet. */
bool copies_keeper_await(struct copies_keeper *k, unsigned timeout_ms, struct copies_report *ret);
/* The same without waiting, by what was taken last. */
bool copies_keeper_is_through(const struct copies_keeper *k);
/* What is new of its reports, for whoever asks from time to time; it does not wait. True: *ret has it. */
bool copies_keeper_take(struct copies_keeper *k, struct copies_report *ret);
/* Changes that were not handed over, since the last call: the folders are walked through again. */
uint64_t copies_keeper_missed(struct copies_keeper *k);
/* Is what that process started the one that keeps them? */
bool copies_keeper_is(const struct copies_keeper *k, pid_t parent_pid);
