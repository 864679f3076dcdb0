/* SPDX-License-Identifier: MIT */
/*
 * Who did it: from the few facts a sensor has (pid, start time, what it captured) to a process with
 * lineage, origin (host or which container) and owner (package, unit, product). One thread.
 */
#pragma once

#include "engine/engine.h"
#include "event/event.h"
#include "event/process_event.h"
#include "util/err.h"
#include "util/log.h"

struct attribution;

struct attribution_options {
    const struct log *log;
    const char *agents_path;     /* data file of known products; NULL = what was built in */
    struct engines *engines;     /* borrowed; NULL = containers are recognised by their cgroup alone, without names */
    struct packages *packages;   /* whose files are whose; the attribution's from now on, also where it fails. NULL = no package is named */
};

/* The options are copied, what they point to is borrowed until attribution_free(). Reads /proc once. -ENOMEM, or what reading
 * it says. One thread. */
int attribution_new(const struct attribution_options *options, struct attribution **ret,
                    struct err *err);
void attribution_free(struct attribution *a); /* NULL is fine */

/* Read all of /proc. Call after the tracker's stream is open: what it delivers later is applied on
 * top, so that nothing falls between. */
int attribution_seed(struct attribution *a, struct err *err);
/* Waits for what is read beside it and the first event would wait for, `ms` at most. */
void attribution_await(struct attribution *a, unsigned ms);
void attribution_process_event(struct attribution *a, const struct process_event *event);
/* The tracker lost notifications: each record is checked against /proc before it is used again. */
void attribution_recheck(struct attribution *a);

/* True if the process that made the event is known as executing what the event says: then the tracker
 * has no notification that would change the answer, which is put into the event where it says when it happened. */
bool attribution_knows(struct attribution *a, struct event *event);

/* Fill event->actor.process, unless it is known already: the process at event->boot_ns, never a later one
 * with the same pid. What is not known stays unknown. */
void attribution_event(struct attribution *a, struct event *event);

/* Walk the processes that are alive, known products first. Stops when `each` returns non-zero. */
int attribution_each_process(struct attribution *a, int (*each)(void *data, struct process *p),
                             void *data);
