/* SPDX-License-Identifier: MIT */
/*
 * The stages joined: what one hands to the next. All are callbacks whose `data` is the struct pipeline; events are the
 * callee's, everything else is borrowed for the call.
 */
#pragma once

#include "daemon/pipeline_state.h"

/* ---- what sensors, tracker and engines emit ---- */

/* A process was born, executed something or died: for attribution, and for watches whose container may be starting. */
void pipeline_on_process(void *data, const struct process_event *event);
/* An event leaves its sensor: it gets its target, and goes on to be merged or delivered; freed here if no watch covers it. May wait for an
 * engine while a container starts, bounded and rarely. */
void pipeline_on_event(void *data, struct event *event);
/* Something does not work, and is looked at again (daemon/faults.h). name: a constant. */
void pipeline_note_fault(struct pipeline *p, enum lost reason, const char *name, unsigned sensor, const char *text);
/* Those that were not noted again are over; all: the observation is. */
void pipeline_end_faults(struct pipeline *p, bool all);
/* To store, case and caller. */
void pipeline_on_gap(void *data, const struct gap *gap);
/* Of a container: to its watches; to case, store and caller if a target is in it. Nothing before there are watches. */
void pipeline_on_life(void *data, const struct lifecycle_event *life);
/* All observations of the change are in: find the actor, and emit the event to store, case and caller. */
void pipeline_deliver(void *data, struct event *event);

/* It waits for other sensors' observations of the change: the store keeps it for whoever finds it after kill -9. */
void pipeline_expect(void *data, struct event *event, uint64_t number);

/* ---- what the watches ask for ---- */

/* Adds an object to all sensors: 0 if one of them takes it; -ESRCH: its container has ended. */
int pipeline_add_object(void *data, const struct watch_object *object, struct err *err);
/* No sensor watches it any more; one that did not is no error. */
void pipeline_remove_object(void *data, uint32_t object_id);
/* Whether a container may be starting: sensors that can do so keep all for that time. One that fails is a warning. */
void pipeline_set_window(void *data, bool on);
/* Nothing was watched in that span (CLOCK_REALTIME): a gap (LOST_WATCH_WINDOW), whose text is cut to fit. */
void pipeline_on_unwatched(void *data, uint64_t from_ns, uint64_t to_ns, const char *text);
/* One line for people, to the caller. */
void pipeline_on_notice(void *data, const char *text);
/* What a change that has no culprit comes from, to case and caller: at time_ns (CLOCK_REALTIME, 0: not known), of so many files. */
void pipeline_on_explain(void *data, enum watch_explanation why, uint64_t time_ns, uint64_t files, struct bytes detail);
