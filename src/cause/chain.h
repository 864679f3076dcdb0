/* SPDX-License-Identifier: MIT */
/* Whoever made the change and all that led to him, nearest first. For the files of cause/. */
#pragma once

#include "cause/link.h"
#include "event/event.h"
#include "util/limits.h"

#define CHAIN_MAX (2 * LIMIT_LINEAGE) /* launchers, and what they executed before */

struct chain {
    const struct event *event;
    struct process *process[CHAIN_MAX]; /* borrowed */
    const struct cause_link *link[CHAIN_MAX];
    unsigned count;
    unsigned inside; /* so many of them live where the actor does: all, but for the way into a container */
    unsigned end;    /* the first that is not searched for what was run: it launched the others; count: none is known */
};

/* What started it, and chain->end. */
void cause_find_launcher(struct chain *c, struct cause_launcher *ret);
/* What was run, and the tool that it used. `launcher` is known. */
void cause_find_run(const struct chain *c, struct cause *ret);
/* Who logged in or called sudo, and as whom it ran. There is at least one process. */
void cause_find_person(const struct chain *c, struct person *ret);
/* Everything else is known. */
struct fingerprint cause_find_key(const struct chain *c, const struct cause *cause);
/* Parts of it: a name that is another one each time (before: the one above it); where somebody lives; the words of a text that are the same
 * each time; the command line of the client that had a container started, whose first process that is (empty: not known), and the same only
 * where no script, nor unit, names it: of a job of cron. */
bool cause_word_is_random(struct bytes name, struct bytes before);
void cause_add_origin(struct fingerprint_maker *of, const struct process *p, struct bytes image); /* image: of a one-off container */
void cause_add_lasting_words(struct fingerprint_maker *of, struct bytes text);
struct bytes cause_client_of(const struct process *first);
struct bytes cause_job_of(const struct process *first);
