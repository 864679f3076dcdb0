/* SPDX-License-Identifier: MIT */
/* What a line of a script, a crontab or a log says about a path. Pure: of words, not of what a shell would make of them. */
#pragma once

#include "clues/fact.h"

/* enum clue_mark: CLUE_NAMES_* of the path, as it is or as it was asked for (or the host's path of a container's), CLUE_REMOVES,
 * CLUE_ALTERS. */
unsigned line_marks(struct bytes line, const struct clue_question *q);

#define LINE_PLACE_MAX 1024

/* Where a script's commands are run, as far as its lines say that they go there. */
struct line_place {
    char path[LINE_PLACE_MAX]; /* absolute, plain */
    size_t len;                /* 0: it is not known */
};
/* The same of a line of a script: what it names from `place` on, which it may change. Begins as { .len = 0 }. */
unsigned line_marks_at(struct bytes line, const struct clue_question *q, struct line_place *place);
/* Of them only CLUE_NAMES_*: of one word, which may be a pattern. */
unsigned line_word_names(struct bytes word, const struct clue_question *q);

/* The next word of *rest that begins with '/': it ends at a blank, a quote or what separates commands. Empty: none. */
struct bytes line_next_path(struct bytes *rest);
