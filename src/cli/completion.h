/* SPDX-License-Identifier: MIT */
/* From the tables of verbs and options to what a shell sources. Everything is constant text: nothing is escaped but
 * for the shell's own quotes. */
#pragma once

#include "cli/options.h"

/* Appended to `out`: the whole file. */
void completion_bash(struct sbuf *out);
void completion_zsh(struct sbuf *out);
void completion_fish(struct sbuf *out);

/* verb_option(), and then --help and --version. */
const struct option_row *completion_option(const struct verb *verb, unsigned *next);
/* The words that an argument may be, separated by spaces; nothing where it is free. */
void completion_words(const struct option_row *row, struct sbuf *out);
/* Those that the first operand must be. */
void completion_first_words(const struct verb *verb, struct sbuf *out);
/* The beginning of an option's help: one clause. */
struct bytes completion_summary(const char *help);
