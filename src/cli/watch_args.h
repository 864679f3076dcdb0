/* SPDX-License-Identifier: MIT */
/* The options that watch and run share. */
#pragma once

#include "cli/report_args.h"

/* What is asked of one target: a file of rules says so for each. */
struct watch_ask {
    unsigned permissions; /* enum permission */
    char *key;            /* owned; NULL = the run's */
    char *owned;          /* the target's text, where it is not argv's */
};

struct watch_args {
    struct pipeline_options pipeline;
    struct report_args report;
    uint64_t for_ns;       /* 0 = until stopped */
    uint64_t settle_ns;    /* run */
    bool assert_unchanged; /* run */
    bool alone;            /* with a sensor of our own, also where the daemon runs */
    const char *control;   /* its socket; NULL: the usual one */
    bool own_status;       /* run: exit with culprit's own status, whatever COMMAND's is */
    const char *junit;     /* run: the file to be written; NULL: none */
    const char *run_as;    /* run: COMMAND's user; NULL: as culprit */
    char **targets;        /* into argv, collected from -w, or of `asks` */
    struct watch_ask *asks; /* one a target */
    size_t target_count;
};

/*
 * Parse options up to the first operand (run) or anywhere (watch).
 * Returns the index of the first operand, or the exit code, negative, after having said why, or
 * -EINTR if help was printed.
 */
int watch_args_parse(const struct verb *verb, int argc, char **argv, bool is_run,
                     struct watch_args *ret);
void watch_args_done(struct watch_args *args);
