/* SPDX-License-Identifier: MIT */
/* The rules of programs that clean up. Pure. */
#pragma once

#include "clues/fact.h"

/* One file of tmpfiles.d(5). */
void tmpfiles_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
/* One file of logrotate's configuration. True: a script in it does something to what is asked for. */
bool logrotate_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
/* Its record of when it last rotated what. acts: also that it rotated something else at the moment, as its scripts do something there. */
void logrotate_state(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text, bool acts);
/* A file of a runner of continuous integration, by its name: what cleans its working directories. */
void ci_text(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
/* A note of a trash (freedesktop.org's): what was put there, and when. user: whose trash. */
void trash_note(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
