/* SPDX-License-Identifier: MIT */
/* What getopt_long() does not take, said so that the right word is seen at once. */
#pragma once

#include <getopt.h>

#include "cli/cli.h"

/* c: '?' or ':', as getopt_long() has just returned it for `options`. Says what is wrong and what is near; EXIT_USAGE. */
int cli_option_error(const struct verb *verb, int c, char **argv, const struct option *options);

/* text or json. 0, or EXIT_USAGE after having said why. */
int cli_parse_format(const struct verb *verb, const char *text, enum format *ret);

/* "delete,chmod": bits 1 << enum operation. 0, or EXIT_USAGE after having said what there is. */
int cli_parse_operations(const struct verb *verb, const char *list, uint64_t *ret);
