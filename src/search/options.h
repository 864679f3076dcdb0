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
#include "util/option_row.h"

/* argv[0] is the verb. 0; -EINVAL with what is wrong in err. `now`, `uptime_s`: see time.h. */
int search_options_parse(int argc, char **argv, time_t now, double uptime_s,
                         struct search_options *ret, struct err *err);

/* The table of options, a row a call: NULL past the end. Constants. */
const struct option_row *search_option(unsigned index);
