/* SPDX-License-Identifier: MIT */
/*
 * What is usual at each watch: which causes were seen there when, and how much was changed in its busiest ten minutes. Nothing is claimed
 * of a time that was not recorded: each gap begins it anew, what was known before only makes less be said. Bounded; what had to be
 * forgotten is not claimed to be new either. Pure: times are the caller's, CLOCK_REALTIME. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "alert/usual_limits.h"
#include "event/event.h"
#include "util/fingerprint.h"
#include "util/sbuf.h"

struct usual;

struct usual *usual_new(void); /* NULL: out of memory */
void usual_free(struct usual *u); /* NULL is fine */
/* So long a watch has to have been recorded without a gap before anything is said; 0: nothing is. */
void usual_set_learning(struct usual *u, uint64_t ns);

/* ---- what is recorded ---- */

/* All that is watched now: begin, each of them, end. What is not among them is not watched. permissions: another one is another watch. */
void usual_begin_watches(struct usual *u);
void usual_add_watch(struct usual *u, struct bytes watch, unsigned permissions, uint64_t now_ns);
void usual_end_watches(struct usual *u);
/* Something may have been missed until then. */
void usual_interrupt(struct usual *u, uint64_t now_ns);
/* Each time that something is done: a clock that was set is an interruption. boot_ns: CLOCK_BOOTTIME. */
void usual_clock(struct usual *u, uint64_t now_ns, uint64_t boot_ns);

/* ---- what happens ---- */

struct usual_answer {
    uint64_t new_since_ns;     /* until first_ns the cause was not seen since then; 0: that cannot be said */
    uint64_t first_ns;
    uint64_t busiest_since_ns; /* since then no ten minutes of the watch, before the last ten, had more changes than `busiest`; 0: likewise */
    uint64_t busiest;
    uint64_t recent;           /* changes in the twenty minutes that end now */
    uint64_t seen_since_ns;    /* the cause is known to have been seen then, and not to have been before; 0: that is not known */
};
/* Each event once, expected or not, in about the order of their times. */
void usual_event(struct usual *u, const struct event *event, struct usual_answer *ret);

/* ---- what is kept on disk ---- */

uint64_t usual_changes(const struct usual *u); /* counts up with what is worth being kept */
/* A line of JSON for each watch and each cause. */
void usual_write(const struct usual *u, struct sbuf *out);
/* Nothing comes any more: the last minutes count as well from now on. */
void usual_end(struct usual *u);
/* What was kept. day: since 1970. False: there is no room. */
bool usual_take_day(struct usual *u, struct bytes watch, uint64_t day, uint64_t busiest, uint64_t now_ns);
bool usual_take_cause(struct usual *u, struct bytes watch, struct fingerprint cause, uint64_t last_ns, uint64_t now_ns);
/* Some of its causes are not kept. */
bool usual_take_lost(struct usual *u, struct bytes watch);
