/* SPDX-License-Identifier: MIT */
/*
 * The timer that started a service. systemd (252 and later) writes it into the environment of the service's first process;
 * once that is gone, and for older ones, systemd is asked which timers trigger the service and when each last did.
 * A service that somebody starts by hand is not its timer's.
 */
#pragma once

#include "event/process.h"
#include "util/sbuf.h"

/* The name of the timer ("purge.timer") that started p, the first process of the service p->owner.unit. Asked in a worker
 * (foreign/foreign.h) that is waited for a moment only. *hangs: it did not answer in time (as it comes in: the last time, which makes
 * the wait short). -ENOENT: none, as far as is known; else as foreign_ask(). */
int timer_find(const struct process *p, bool *hangs, struct sbuf *ret);

/* Pure parts, for tests. */
/* TRIGGER_UNIT of an environment, if it is a timer's; BYTES_NULL: none. */
struct bytes timer_of_environment(struct bytes environment);
/* Of lines "NAME MICROSECONDS" (when each last fired; CLOCK_MONOTONIC), the one timer that fired just before started_us.
 * BYTES_NULL: none, or more than one. */
struct bytes timer_just_before(struct bytes lines, uint64_t started_us);
