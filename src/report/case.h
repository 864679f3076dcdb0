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
#include "store/query.h"
#include "util/err.h"
#include "util/sbuf.h"

struct case_;

#define CASE_LIMIT 10

struct case_options {
    struct bytes target;          /* as the user wrote it; several: separated by one space */
    pid_t command_pid;            /* run: the user's COMMAND, 0 = none */
    uint64_t command_start_ns;    /* CLOCK_BOOTTIME, 0 = unknown */
    struct bytes command;         /* as one line */
    int command_status;           /* exit code, 128 + signal; -1 = still running or none */
    uint64_t command_ns;          /* how long it ran */
    uint64_t settle_ns;           /* how long was waited for late changes */
    bool not_recorded;            /* there is no store that `who` could answer from later */
    struct bytes store;           /* where it is, if not at the usual place */
    struct bytes host_id;         /* this machine's: what was recorded on another is told as that */
    bool stored;                  /* from the store (`who`): wording in the past */
    unsigned limit;               /* causes told one by one in text, the gravest first; 0 = CASE_LIMIT, UINT_MAX = all */
    bool quiet;                   /* text: the sentence of each verdict and nothing else */
    bool verbose;                 /* text: what is folded away, with reason and number */
    /* script_line() of attribution/script_line.h; NULL: no lines of scripts are named */
    int (*script_line)(const struct process *p, struct bytes path, struct bytes tool, struct bytes changed, uint64_t before_ns,
                       struct sbuf *ret);
};

struct case_ *case_new(const struct case_options *options);
void case_free(struct case_ *c);
void case_set_command_status(struct case_ *c, int status, uint64_t command_ns);
/* run: culprit's own exit status, for the output; the one it leaves with may be COMMAND's. */
void case_set_own_status(struct case_ *c, int status);

int case_add_event(struct case_ *c, const struct event *event); /* copies or references what it keeps */
int case_add_rollup(struct case_ *c, const struct store_rollup *rollup, struct event *const *samples,
                    unsigned sample_count);
int case_add_life(struct case_ *c, const struct life *life);
/* There is no store, or the last of it is not in it: `who` cannot answer later. */
void case_not_recorded(struct case_ *c);
int case_add_gap(struct case_ *c, const struct gap *gap);
/* In order of the beginnings, for each target anew. */
int case_add_coverage(struct case_ *c, const struct coverage *coverage);
/* So many events were seen and are not in the case, since the user's filter leaves them out or allows them. */
void case_leave_out(struct case_ *c, enum filter_result why, uint64_t count);
/* The same of one event, which still says what became of files: a temporary file is none the less temporary when only
 * deletions are asked for. */
void case_leave_out_event(struct case_ *c, enum filter_result why, const struct event *event);

/* How far the record answers the question about one target (`who`): what is said where nothing was found. */
struct case_question {
    struct case_question *next;      /* the case's own */
    struct bytes target;             /* as the user wrote it */
    struct coverage_sum sum;
    struct coverage_nearest nearest; /* where it was never watched */
    bool watched_at_other_times;     /* nearest is the target itself */
    bool found;                      /* events were */
};
int case_add_question(struct case_ *c, const struct case_question *question); /* copies */
/* Was never all of it watched? Then out gets what was: "only /a/b", "not changes of permissions and owners". */
bool case_watched_partly(const struct case_ *c, struct sbuf *out);
bool case_was_watched(const struct case_ *c); /* some of it at least, at some time that was asked for */

/* What happened to the files without anybody deleting them, told by watch/ and the engines. */
enum explanation {
    EXPLANATION_RECREATED = 1, /* the container was created anew, its writable layer dropped */
    EXPLANATION_HIDDEN,        /* a mount hides them */
    EXPLANATION_TMPFS,         /* a tmpfs was emptied by the restart */
    EXPLANATION_BEFORE,        /* they were gone before the watch began */
    EXPLANATION_REMOVED,       /* the container was removed, its writable layer dropped */
    EXPLANATION_ABSENT,        /* nothing was there all the time; detail: the target */
};
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
/* One ECS line for each verdict (event.kind alert), each ended by a newline; one with the coverage
 * if there is nobody to accuse. */
void case_write_json(struct case_ *c, struct sbuf *out);
