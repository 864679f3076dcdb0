/* SPDX-License-Identifier: MIT */
/* The options that watch, run and who share: which events, and how much of them is shown. */
#pragma once

#include <getopt.h>

#include "cli/cli.h"
#include "event/filter.h"
#include "report/case.h"

enum {
    OPTION_FORMAT = 512,
    OPTION_QUIET,
    OPTION_VERBOSE,
    OPTION_LIMIT,
    OPTION_OP,
    OPTION_USER, /* of run it is COMMAND's */
    OPTION_BY_USER,
    OPTION_PROGRAM,
    OPTION_CAUSE,
    OPTION_CONTAINER,
    OPTION_EXCLUDE,
};

/* clang-format off */
#define REPORT_OPTIONS \
    { "format", required_argument, NULL, OPTION_FORMAT }, \
    { "quiet", no_argument, NULL, OPTION_QUIET }, \
    { "verbose", no_argument, NULL, OPTION_VERBOSE }, \
    { "limit", required_argument, NULL, OPTION_LIMIT }, \
    { "op", required_argument, NULL, OPTION_OP }, \
    { "user", required_argument, NULL, OPTION_USER }, \
    { "by-user", required_argument, NULL, OPTION_BY_USER }, \
    { "program", required_argument, NULL, OPTION_PROGRAM }, \
    { "cause", required_argument, NULL, OPTION_CAUSE }, \
    { "container", required_argument, NULL, OPTION_CONTAINER }, \
    { "exclude", required_argument, NULL, OPTION_EXCLUDE }

#define REPORT_HELP_FILTER(user) \
    "      --op LIST      only delete, modify, create, rename, permission, owner, attribute, read ...,\n" \
    "                     or operations as they are shown (unlink,chmod ...)\n" \
    "      " user " only what this user did (name or number; who ran it, or who logged in)\n" \
    "      --program P    only by this program or script: a name, a path, or a pattern\n" \
    "      --cause TEXT   only where this is part of the cause: script, unit, package, product\n" \
    "      --container C  only by processes of this container\n" \
    "      --exclude PATH not this path or what is below it; a pattern (* ** ?), or a name at any depth.\n" \
    "                     These may be repeated; what they leave out is counted\n"

#define REPORT_HELP_OUTPUT \
    "      --limit N      verdicts that are shown (10); 0: all\n" \
    "      --quiet        only the verdicts' sentences\n" \
    "      --verbose      also what is folded away, and all that is not seen\n"
/* clang-format on */

struct report_args {
    enum format format;
    bool quiet, verbose;
    unsigned limit; /* UINT_MAX: all */
    struct filter filter;
};

#define REPORT_ARGS_INIT ((struct report_args){ .limit = CASE_LIMIT })

/* True if `c` is one of REPORT_OPTIONS: then *ret is 0, or EXIT_USAGE after having said why. */
bool report_args_take(const struct verb *verb, int c, const char *argument, struct report_args *args, int *ret);
/* After the last option. 0 or EXIT_USAGE. */
int report_args_check(const struct verb *verb, const struct report_args *args);
void report_args_done(struct report_args *args);

/* A path or pattern of --exclude or --allow, made absolute. 0 or EXIT_USAGE. */
int report_args_add_path(const struct verb *verb, struct filter *filter, enum filter_kind kind, const char *text);
