/* SPDX-License-Identifier: MIT */
/* What a line of a script, a crontab or a log says about a path. Pure: of words, not of what a shell would make of them. */
#pragma once

#include "clues/fact.h"

/* enum clue_mark: CLUE_NAMES_* of the path, as it is or as it was asked for (or the host's path of a container's), CLUE_REMOVES,
 * CLUE_ALTERS. */
unsigned line_marks(struct bytes line, const struct clue_question *q);
/* Of them only CLUE_NAMES_*: of one word, which may be a pattern. */
unsigned line_word_names(struct bytes word, const struct clue_question *q);

/* The next word of *rest that begins with '/': it ends at a blank, a quote or what separates commands. Empty: none. */
struct bytes line_next_path(struct bytes *rest);
