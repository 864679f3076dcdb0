/* SPDX-License-Identifier: MIT */
/*
 * Older writers: whoever has had a file of what is guarded open for writing since before it was. Only they can write to it without
 * opening it, so only while there are such is a program asked at each read and write of the machine. It is attached before anything
 * is guarded; then, with every new open refused, each file is looked at, and where nobody has any open for writing it is detached.
 * What could make new ones (more that is guarded, a time in which nothing was refused) attaches it first, and begins anew. As long as
 * it is not known it stays attached.
 *
 * A thread of its own looks; it neither holds up the lease nor the events. One guard a process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/bpf/programs.h"

#define GUARD_WRITERS_UNKNOWN UINT64_MAX
#define LIMIT_GUARD_WRITERS 256        /* files that are looked at again each second; of more the first ones, then all anew */
#define LIMIT_GUARD_WRITERS_FILES 1000000 /* that are looked at; of more it is never known */

/* Everything that is guarded is refused by now, and the programs are attached; borrowed until guard_writers_end(). After
 * guard_writers_stay() there is nothing to be done. -EAGAIN: no thread. */
int guard_writers_begin(struct programs *programs, struct err *err);
/* Somebody may, and what he opens he may hand on: from now on the program stays attached. */
void guard_writers_stay(void);
/* From any thread, before more is guarded, or where an open was let pass: when it returns the program is attached. Does nothing without
 * a guard, as all of these. */
void guard_writers_unsure(void);
/* The same around the moment from which on changes are refused again, after a time in which they were not: true before it. */
void guard_writers_pause(bool on);
/* Are the places wanted that are guarded now? */
bool guard_writers_want_places(void);
/* These, by the thread that guards more; they are copied. */
void guard_writers_take_places(const int *fds, size_t count);
/* Until it is known, or for so long. False: it is not known yet. */
bool guard_writers_wait(unsigned timeout_ms);
/* Files that somebody has open for writing since before; GUARD_WRITERS_UNKNOWN: not known, also after guard_writers_stay(). */
uint64_t guard_writers_count(void);
/* Did the kernel not attach the program for a time, so that they were not refused? */
bool guard_writers_escaped(void);
void guard_writers_end(void);
