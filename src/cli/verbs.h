/* SPDX-License-Identifier: MIT */
/* The table of verbs: what help, completions and usage errors say of each. */
#pragma once

#include "util/option_row.h"

/* For the table of options: whose they are. */
enum verb_bit {
    VERB_WATCH = 1 << 0,
    VERB_RUN = 1 << 1,
    VERB_WHO = 1 << 2,
    VERB_SEARCH = 1 << 3,
    VERB_DIFF = 1 << 4,
    VERB_IMPORT = 1 << 5,
    VERB_RULES = 1 << 6,
    VERB_DOCTOR = 1 << 7,
    VERB_HELP = 1 << 8,
    VERB_COMPLETION = 1 << 9,
    VERB_DAEMON = 1 << 10,
    VERB_CTL = 1 << 11,
    VERB_CLUES = 1 << 12,
    VERB_PRUNE = 1 << 13,
    VERB_BACKUP = 1 << 14,
    VERB_RESTORE = 1 << 15,
    VERB_GUARD = 1 << 16,
    VERB_ALERT = 1 << 17,
    VERB_EXPECT = 1 << 18,
    VERB_SILENCE = 1 << 19,
};

struct verb {
    enum verb_bit bit;
    const char *name;
    const char *summary;
    enum completion operand;
    const char *words; /* of the first operand, where it is a word; NULL */
    const char *usage; /* what follows "culprit NAME" */
    const char *help;  /* the text before the options, which are in cli/options.c */
    const char *after; /* the text behind them, or NULL */
};

extern const struct verb verbs[]; /* name NULL at the end */
const struct verb *verb_by_name(const char *name); /* NULL: none has it */
