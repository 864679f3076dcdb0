/* SPDX-License-Identifier: MIT */
/* Who observes gets the processor before those whom he observes. */
#pragma once

#include <stdbool.h>

/*
 * The calling thread, and those that it starts: where all processors are busy, what is read late is lost with a kill -9,
 * and processes are gone before they were looked at. Only where nobody gave this process another priority than the usual
 * one. Needs CAP_SYS_NICE. False: nothing was changed.
 */
bool priority_raise(void);

/*
 * The session, where this process leads it, as a service does: where sessions share the processors (autogroup), a thread's
 * nice counts among those of its own session only. All in the session have it. Needs CAP_SYS_NICE. False: nothing was changed.
 */
bool priority_raise_session(void);

/* What the calling thread starts from here on, programs and threads, has the usual priority; the thread keeps its own.
 * After priority_raise() only: where the kernel refuses, the thread has the usual one too. */
void priority_keep_to_oneself(void);
