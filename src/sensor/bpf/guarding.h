/* SPDX-License-Identifier: MIT */
/*
 * The sensor "bpf" with programs that refuse every change of what it watches. One of them a process: bpf_sensor_load(), then the
 * sensor is opened and watches what is to be guarded, then bpf_guard_begin(). From then on whatever it watches is guarded, also what
 * is added later. It ends with the process, however that ends, and 10 s after it was stopped. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/bpf/guard_programs.h"
#include "util/err.h"

/* Does this kernel interrupt itself, so that GUARD_KIND_RETURN has holes? Where it cannot be known: true. Errors: no BPF here, and why. */
int bpf_guard_ask_kernel(bool *ret_preempts, struct err *err);

struct programs;
struct bpf_objects;

/* For the sensor: it was opened with the guard's programs. Both are borrowed until guarding_closed(). */
void guarding_opened(struct programs *programs, struct bpf_objects *objects);
void guarding_closed(void);

/* Who may, besides culprit, the kernel's threads and process 1. */
int bpf_guard_allow_executable(int fd, struct err *err); /* any descriptor of it, which the caller keeps open for as long */
int bpf_guard_allow(enum wire_guard_kind kind, uint64_t value, struct err *err);

/* From now on changes are refused, also writes by whoever opened something before, as long as this process renews that: a thread of its own does. -ENODEV: the sensor bpf is not
 * open; -errno. */
int bpf_guard_begin(struct err *err);
/* Once it is known who may: older writers are looked for (guard_writers.h), for as long as it guards. -EAGAIN: not now. */
int bpf_guard_look_for_writers(struct err *err);
/* Until they were looked for the first time. False: not yet. */
bool bpf_guard_await_writers(unsigned timeout_ms);
/* For the sensor: in each turn of its. */
void guarding_turn(void);
/* Whatever else hangs, nothing is refused after that time (CLOCK_MONOTONIC; 0: no such time). */
void bpf_guard_limit(uint64_t until_ns);

struct bpf_guard_test {
    size_t all, denied; /* places that are watched; of them those that refused a change that would change nothing */
};
/* Tries it, in a child: nobody else is exempt who is not allowed. */
int bpf_guard_test(struct bpf_guard_test *ret, struct err *err);

#define BPF_GUARD_UNKNOWN UINT64_MAX

struct bpf_guard_counts {
    uint64_t refused;
    uint64_t unplaced; /* of them: of files that were opened by their handles, whose path is not known: no event */
    uint64_t missed;   /* calls that the programs were not asked for: GUARD_KIND_RETURN only */
    uint64_t older_writers; /* files that somebody has had open for writing since before; BPF_GUARD_UNKNOWN: not known, or somebody may */
    bool writers_escaped;   /* for a time they were not refused: the kernel did not attach a program again */
    uint64_t lapsed_ns; /* for so long it refused nothing, because culprit was stopped */
};
void bpf_guard_look(struct bpf_guard_counts *ret); /* where there is none: zeros, and not known */

/* Refuses no more; the sensor goes on. */
void bpf_guard_end(void);
