/* SPDX-License-Identifier: MIT */
/* The options that watch, run and who share: which events, and how much of them is shown. */
#pragma once

#include "cli/options.h"
#include "event/filter.h"
#include "report/case.h"

struct report_args {
    enum format format;
    bool quiet, verbose;
    unsigned limit; /* UINT_MAX: all */
    struct filter filter;
};

#define REPORT_ARGS_INIT ((struct report_args){ .limit = CASE_LIMIT })

/* True if `id` is one of these: then *ret is 0, or EXIT_USAGE after having said why. */
bool report_args_take(const struct verb *verb, enum option_id id, const char *argument, struct report_args *args, int *ret);
/* After the last option. 0 or EXIT_USAGE. */
int report_args_check(const struct verb *verb, const struct report_args *args);
void report_args_done(struct report_args *args);

/* A path or pattern of --exclude or --allow, made absolute. 0 or EXIT_USAGE. */
int report_args_add_path(const struct verb *verb, struct filter *filter, enum filter_kind kind, const char *text);
