/* SPDX-License-Identifier: MIT */
/* What a case is made with, and what it takes beside events. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/coverage.h"
#include "event/process.h"
#include "util/bytes.h"
#include "util/sbuf.h"

#define CASE_LIMIT 10

struct case_options {
    struct bytes target;          /* as the user wrote it; several: separated by one space */
    pid_t command_pid;            /* run: the user's COMMAND, 0 = none */
    uint64_t command_start_ns;    /* CLOCK_BOOTTIME, 0 = unknown */
    struct bytes command;         /* as one line */
    int command_status;           /* exit code, 128 + signal; -1 = still running or none */
    uint64_t command_ns;          /* how long it ran */
    uint64_t settle_ns;           /* how long was waited for late changes; 0: not at all */
    bool not_recorded;            /* there is no store that `who` could answer from later */
    struct bytes store;           /* where it is, if not at the usual place */
    struct bytes host_id;         /* this machine's: what was recorded on another is marked so */
    bool copies;                  /* of the target's files copies are kept: what changed in them can be shown */
    bool stored;                  /* from the store (`who`): wording in the past */
    unsigned limit;               /* causes printed one by one in text, the gravest first; 0 = CASE_LIMIT, UINT_MAX = all */
    bool quiet;                   /* text: the sentence of each verdict and nothing else */
    bool verbose;                 /* text: what is folded away, with reason and number */
    /* script_line() of attribution/script_line.h; NULL: no lines of scripts are named */
    int (*script_line)(const struct process *p, struct bytes path, struct bytes tool, struct bytes changed, uint64_t before_ns,
                       struct sbuf *ret);
};

/* How far the record answers the question about one target (`who`): what is said where nothing was found. */
struct case_question {
    struct case_question *next;      /* the case's own */
    struct bytes target;             /* as the user wrote it */
    struct coverage_sum sum;
    struct coverage_nearest nearest; /* where it was never watched */
    bool watched_at_other_times;     /* nearest is the target itself */
    bool found;                      /* events were */
    uint64_t removed_ns;             /* CLOCK_REALTIME: what is older was removed from the record; 0: nothing that was asked for */
};
/* What happened to the files without anybody deleting them, as watch/ and the engines report it. */
enum explanation {
    EXPLANATION_RECREATED = 1, /* the container was created anew, its writable layer dropped */
    EXPLANATION_HIDDEN,        /* a mount hides them */
    EXPLANATION_TMPFS,         /* a tmpfs was emptied by the restart */
    EXPLANATION_BEFORE,        /* they were gone before the watch began */
    EXPLANATION_REMOVED,       /* the container was removed, its writable layer dropped */
    EXPLANATION_ABSENT,        /* nothing was there all the time; detail: the target */
    EXPLANATION_MOUNTED,       /* the container was created anew and has something else there than the volume; detail: where the host has that */
};
