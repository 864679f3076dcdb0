/* SPDX-License-Identifier: MIT */
/*
 * A case: events, moments of containers' lives, gaps and coverage go in, in any order of kinds and
 * in order of time within a kind; verdicts come out. Memory is bounded: equal events are grouped
 * and counted (limits.h). Used live and from the store alike, with the same answer.
 */
#pragma once

#include "event/coverage.h"
#include "event/event.h"
#include "event/filter.h"
#include "report/case_options.h"
#include "store/query.h"
#include "util/err.h"
#include "util/sbuf.h"

struct case_;

/* target and command of the options are copied; other texts in them are borrowed for the case's life. NULL: out of memory.
 * One thread. */
struct case_ *case_new(const struct case_options *options);
void case_free(struct case_ *c); /* NULL is fine */
/* run: COMMAND has ended. status: its exit code, 128 + signal; command_ns: how long it ran. */
void case_set_command_status(struct case_ *c, int status, uint64_t command_ns);
/* run: COMMAND could not be executed, so that nobody waited for late changes. */
void case_set_unsettled(struct case_ *c);
/* run: culprit's own exit status, for the output; the one it leaves with may be COMMAND's. */
void case_set_own_status(struct case_ *c, int status);

int case_add_event(struct case_ *c, const struct event *event); /* copies or references what it keeps */
/* Events that the store counted together, with some of them as examples. Copies what it keeps; out of memory they are only
 * counted. 0. */
int case_add_rollup(struct case_ *c, const struct store_rollup *rollup, struct event *const *samples,
                    unsigned sample_count);
/* A lifecycle event: starts are counted, a removal may explain missing files. Copies what it keeps. 0. */
int case_add_life(struct case_ *c, const struct lifecycle_event *life);
/* There is no store, or the last of it is not in it: `who` cannot answer later. */
void case_not_recorded(struct case_ *c);
int case_add_gap(struct case_ *c, const struct gap *gap);
/* So many events were seen and are not in the case, since the user's filter leaves them out or allows them. */
void case_leave_out(struct case_ *c, enum filter_result why, uint64_t count);
/* The same of one event, which still says what became of files: a temporary file is none the less temporary when only
 * deletions are asked for. */
void case_leave_out_event(struct case_ *c, enum filter_result why, const struct event *event);


/* time_ns: CLOCK_REALTIME; files: how many, 0 = not known; detail is copied. -ENOSPC: there are too many already. */
int case_add_explanation(struct case_ *c, enum explanation kind, uint64_t time_ns,
                         uint64_t files, struct bytes detail);

/* True if anything was seen that an exit status of 0 stands for. */
bool case_answered(const struct case_ *c);
uint64_t case_events(const struct case_ *c);
uint64_t case_lost(const struct case_ *c);
/* Events that the filters left out. */
uint64_t case_left_out(const struct case_ *c);

/* run: COMMAND has been started. start_ns: CLOCK_BOOTTIME, 0 = unknown. */
void case_set_command(struct case_ *c, pid_t pid, uint64_t start_ns);

/* For people: verdicts, evidence, coverage, advice (ux.md). colour: ANSI; columns: 0 = whole lines. */
void case_write_text(struct case_ *c, bool colour, unsigned columns, struct sbuf *out);
/* What ends a page of whatever kind: how many events the filters left out, coverage, losses. */
void case_write_end(const struct case_ *c, bool colour, unsigned columns, struct sbuf *out);
/* Of a case that is about one culprit: its sentence with `more` behind it, and its ECS line as below, whether it would be accused or not.
 * False: there is none. */
bool case_write_alert(struct case_ *c, struct bytes more, struct sbuf *ret_sentence, struct sbuf *out);
/* One ECS line for each verdict (event.kind alert), each ended by a newline; one with the coverage
 * if there is nobody to accuse. */
void case_write_json(struct case_ *c, struct sbuf *out);
