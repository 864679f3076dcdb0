/* SPDX-License-Identifier: MIT */
/*
 * The records of the process table: for each pid those that had it, the newest first, each with what it became by its execs.
 * Those that have exited stay for a while, in the order of their ends. For process_*.c only; one thread.
 */
#pragma once

#include "event/process_event.h"
#include "util/clock.h"
#include "util/hash_table.h"

/* An event's time may be early by a timer tick of the kernel (audit: ktime_get_coarse_real_ts64). */
#define EARLY_NS (10 * NS_PER_MS)
/* Where a hypervisor holds the processor that keeps the clock, the tick itself is late by as much. Only what else is known of the actor
 * can decide so far off. */
#define EARLY_MOST_NS (250 * NS_PER_MS)

/* One record of a pid: a process, or what it became by an exec. */
struct version {
    struct version *older;
    struct process *process; /* owned reference */
    uint64_t from_ns;        /* CLOCK_BOOTTIME: start of the process, or time of the exec */
};

struct pid_slot {
    pid_t pid;
    struct version *newest;
    unsigned recheck;     /* checked against /proc at this count of table->recheck */
    bool exited;
    struct pid_slot *exited_older, *exited_newer;
    UT_hash_handle hh;
};

struct process_table {
    const char *proc;
    struct pid_slot *slots;
    struct pid_slot *asked;  /* what was looked for last, NULL: none; a storm is mostly one process's */
    unsigned long cuts;  /* chains of launchers that were cut */
    size_t exited_count;
    struct pid_slot *exited_first, *exited_last; /* in order of exit */
    unsigned recheck;
    size_t sweep_at; /* look for lost ends when the table has grown to this */
};

/* Gives up the references of all of them; NULL is fine. */
void process_slot_drop_versions(struct version *v);
/* Forgets a pid, and frees the slot. */
void process_slots_drop(struct process_table *t, struct pid_slot *s);
/* NULL: nobody is known to have had that pid. */
struct pid_slot *process_slots_find(struct process_table *t, pid_t pid);
/* From from_ns (CLOCK_BOOTTIME) on the newest of its pid. Takes over the reference; NULL: out of memory. */
struct process *process_slots_push(struct process_table *t, struct process *p, uint64_t from_ns);
/*
 * A daemon that is its own grandchild again and again must not make an endless chain. It is cut at
 * a process that has exited: a living one has other children, whose launchers somebody's deep nest
 * must not take away.
 */
void process_slots_set_parent(struct process_table *t, struct process *p, struct process *parent);
/* Borrowed; NULL: none. */
struct process *process_slots_newest(struct process_table *t, pid_t pid);
/* The same, if it had not ended by `boot_ns`: what comes later is of another process, whose fork
 * was not reported. */
struct process *process_slots_living(struct process_table *t, pid_t pid, uint64_t boot_ns);
/* A process that ends has left its cgroup for the root before it is gone from /proc: what is read then is
 * not where it lived. `from`: itself before, or who started it. */
void process_distrust_root(struct process *p, const struct process *from);
/* Read a process that is alive, with its launchers as far as they are not known yet. */
struct process *process_slots_read_alive(struct process_table *t, pid_t pid, uint64_t from_ns);
/* The living one that is known, else as /proc has it now. NULL: it is in neither. */
struct process *process_slots_find_or_read(struct process_table *t, pid_t pid, uint64_t boot_ns);
