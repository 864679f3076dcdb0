/* SPDX-License-Identifier: MIT */
/*
 * The command line of `culprit search`: ausearch's, with its long names behind one dash or two
 * letters behind one (-if, -ts), and ours. Strings of the query point into argv.
 */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "search/query.h"
#include "util/err.h"

struct search_options {
    struct search_query query;
    const char *inputs[SEARCH_LIST_MAX]; /* -if, or operands */
    unsigned input_count;
    bool input_logs;        /* --input-logs */
    const char *checkpoint; /* file */
    const char *store;      /* --store FILE */
    bool help, version;
};

/* argv[0] is the verb. 0; -EINVAL with what is wrong in err. `now`, `uptime_s`: see time.h. */
int search_options_parse(int argc, char **argv, time_t now, double uptime_s,
                         struct search_options *ret, struct err *err);

/* The option table, for help, completion and tests: NULL past the end. `ret_argument` is "" where
 * there is none. */
const char *search_option_name(unsigned index, const char **ret_argument, const char **ret_help);
