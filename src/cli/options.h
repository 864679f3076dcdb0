/* SPDX-License-Identifier: MIT */
/*
 * The options of all commands, each in one row of options.c: parsing, help and the completions of the shells are made
 * from it, and tests/cli/run.sh compares the manual page with it. Those of `search` are in search/options.c.
 */
#pragma once

#include <getopt.h>

#include "cli/cli.h"
#include "util/option_row.h"

enum option_id {
    OPTION_ALLOW,
    OPTION_ASSERT,
    OPTION_AT,
    OPTION_BY,
    OPTION_CAUSE,
    OPTION_CHECK_CONFIG,
    OPTION_CONFIG,
    OPTION_CONFIRM,
    OPTION_CONFIRMED,
    OPTION_CONTAINER,
    OPTION_CONTROL,
    OPTION_CONTAINERS,
    OPTION_DEBUG,
    OPTION_DRY_RUN,
    OPTION_EXCLUDE,
    OPTION_EXIT_STATUS,
    OPTION_EXPECTED,
    OPTION_FOR,
    OPTION_FORCE,
    OPTION_FORMAT,
    OPTION_FROM,
    OPTION_HISTORY,
    OPTION_INTERPRET,
    OPTION_JSON,
    OPTION_JUNIT,
    OPTION_KEEP,
    OPTION_KEEP_COPIES,
    OPTION_KEY,
    OPTION_LARGER_THAN,
    OPTION_LEARN,
    OPTION_LIMIT,
    OPTION_BEST_EFFORT,
    OPTION_LOG_ONLY,
    OPTION_METHOD,
    OPTION_NODE,
    OPTION_NO_DAEMON,
    OPTION_NO_STORE,
    OPTION_NO_SECCOMP,
    OPTION_OFF,
    OPTION_OLDER_THAN,
    OPTION_OP,
    OPTION_PERMISSIONS,
    OPTION_PRINT_CONFIG,
    OPTION_PROGRAM,
    OPTION_QUIET,
    OPTION_REASON,
    OPTION_RING_SIZE,
    OPTION_RULES,
    OPTION_RUN_AS,
    OPTION_RUNTIME_DIR,
    OPTION_SENSOR,
    OPTION_SETTLE,
    OPTION_SINCE,
    OPTION_SORT,
    OPTION_PACKAGES,
    OPTION_SOURCE,
    OPTION_STATE,
    OPTION_STORE,
    OPTION_TIMES,
    OPTION_CONTENT,
    OPTION_TOP,
    OPTION_FOLLOW,
    OPTION_UNTIL,
    OPTION_USER,
    OPTION_VERBOSE,
    OPTION_WATCH,
    OPTION_WOULD_HAVE,
    OPTION_WRITES,
};

struct cli_option {
    struct option_row row;
    unsigned verbs; /* enum verb_bit */
    enum option_id id;
};

/* The rows of a verb, search's too, one a call: *next is 0 before the first. NULL at the end. Constants. */
const struct option_row *verb_option(const struct verb *verb, unsigned *next);

#define OPTIONS_MAX 64 /* of one command; options_begin() checks it */

/* getopt_long() over the rows of one command; one at a time, since getopt has its state in globals. */
struct option_parser {
    const struct verb *verb;
    int argc;
    char **argv;
    struct option longs[OPTIONS_MAX + 1];
    const struct cli_option *rows[OPTIONS_MAX]; /* of `longs` */
    char letters[2 * OPTIONS_MAX + 3];
};

/*
 * argv[0] is the verb; it is permuted, unless the operand is a command of its own: its options are not ours.
 * `others`: verbs (enum verb_bit) whose long options are found as well, so that the caller can say where they belong.
 */
void options_begin(struct option_parser *p, const struct verb *verb, unsigned others, int argc, char **argv);

/* 1: *ret is the next option, its argument is getopt's `optarg`. 0: `optind` is the first operand. -EXIT_USAGE: it is
 * none, and that was said. */
int options_next(struct option_parser *p, const struct cli_option **ret);
