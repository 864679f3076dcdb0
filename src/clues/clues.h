/* SPDX-License-Identifier: MIT */
/*
 * What a host still knows of what nobody recorded: all sources are asked, within five seconds, and what they found is judged.
 * Reads only. foreign_start() must have been called.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "clues/fact.h"
#include "clues/removed.h"
#include "engine/view.h"
#include "util/err.h"

struct clues;
struct engines;

struct clues_options {
    struct bytes path;      /* as in struct clue_question */
    struct bytes host_path;
    struct bytes written;
    const struct container_view *view; /* borrowed; NULL: the host's files */
    struct engines *engines;           /* borrowed; NULL: none is asked */
    struct removed_thing removed;      /* of a container or volume that is gone: only what says something of that time is asked */
    uint64_t since_ns, until_ns;
    uint64_t time_ns;       /* that it may take in all, whole times five seconds; 0 = five seconds */
    uint64_t spent_ns;      /* of it, before it is asked */
    bool has_record;        /* culprit has a store */
    uint64_t recorded;      /* changes of the target in it */
    bool has_audit;         /* there are audit logs */
    struct bytes audit;     /* what they say of it: a verdict a line, escaped */
    struct bytes audit_note;
    bool history;           /* shell histories too */
    const volatile sig_atomic_t *stop; /* non-zero: what is there will do */
    void (*progress)(void *data, const char *reads); /* after a second: what is being looked at */
    void *data;
};

enum clue_state {
    CLUE_STATE_NOT_ASKED, /* stopped before its turn, or only asked if wanted */
    CLUE_STATE_READ,
    CLUE_STATE_ABSENT,    /* there is none here */
    CLUE_STATE_FAILED,    /* note says why */
};

struct clue_report {
    enum clue_state state;
    struct clue_span cover; /* it would have had everything from then on; from_ns 0: nothing can be said; to_ns 0: until now */
    struct bytes note;      /* what it could not look at; empty: nothing */
    unsigned left_out;      /* facts beyond CLUE_FACTS_MAX */
};

/* -ENOMEM */
int clues_new(const struct clues_options *options, struct clues **ret, struct err *err);
void clues_free(struct clues *c); /* NULL is fine */
int clues_gather(struct clues *c, struct err *err);

/* What was found, valid as long as `c`. */
const struct clue_question *clues_question(const struct clues *c);
const struct clue_fact *clues_facts(const struct clues *c, size_t *ret_count);
const struct clue_report *clues_report(const struct clues *c, unsigned source); /* of the row of clue_sources */
bool clues_stopped(const struct clues *c);

/* For sources: texts are copied. */
int clues_add(struct clues *c, unsigned source, const struct clue_fact *f);
void clues_set_report(struct clues *c, unsigned source, enum clue_state state, struct bytes note);
/* A worker's answer: its facts, and what it says of the source; one that is damaged is a failure. -ENOMEM */
int clues_take(struct clues *c, unsigned source, struct bytes answer);
/* Milliseconds for what usually may take so many: less towards the end of all, 1 beyond it. */
unsigned clues_time_left(const struct clues *c, unsigned usual_ms);
const struct clues_options *clues_options(const struct clues *c);
struct arena *clues_arena(struct clues *c);
