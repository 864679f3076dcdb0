/* SPDX-License-Identifier: MIT */
/*
 * Every process by (pid, time): records as they were, exited ones for a while, launchers for as long
 * as something descends from them. Fed by a tracker, seeded from /proc.
 */
#pragma once

#include "event/process_event.h"
#include "util/err.h"

struct process_table;

/* proc: "/proc", or a directory of the same shape in tests; borrowed. */
int process_table_new(const char *proc, struct process_table **ret, struct err *err);
void process_table_free(struct process_table *t); /* NULL is fine */

/* Read all of /proc; what is in the table already is newer and stays. */
int process_table_seed(struct process_table *t, struct err *err);
void process_table_apply(struct process_table *t, const struct process_event *event);

/* The tracker lost notifications: records may be out of date, and each is checked against /proc before it is used again. */
void process_table_recheck(struct process_table *t);

/*
 * Find the process that had `pid` at `boot_ns`. Pids are reused: the time is part of the question.
 * pid:        in the initial pid namespace; a process, not a thread
 * boot_ns:    CLOCK_BOOTTIME; 0 = now. May be up to 10 ms early: audit's clock is coarse
 * start_ns:   of the process if the sensor knows it, else 0
 * executable: what it executed if the sensor knows it: decides between before and after an exec
 * Returns a record owned by the table, valid until the next call; NULL if it was never seen and is
 * not in /proc either.
 */
struct process *process_table_find(struct process_table *t, pid_t pid, uint64_t boot_ns,
                                   uint64_t start_ns, struct bytes executable);

/*
 * The same for a moment that is known as a span only: the last process of that pid that lived in it.
 * gone: it had exited by to_ns, so that a living one is not meant.
 */
struct process *process_table_find_between(struct process_table *t, pid_t pid, uint64_t from_ns,
                                           uint64_t to_ns, bool gone);

/* Put in a record that a sensor made of its own facts; the table takes a reference. */
void process_table_add(struct process_table *t, struct process *p);

/* How many chains of launchers were cut so far: beside that, a record's launchers stay who they are. */
unsigned long process_table_cuts(const struct process_table *t);

int process_table_each(struct process_table *t, int (*each)(void *data, struct process *p),
                       void *data); /* living ones, newest record of each */
/* The same for all records, also those of processes that have exited but are kept for late events. */
int process_table_each_recent(struct process_table *t, int (*each)(void *data, struct process *p), void *data);
