/* SPDX-License-Identifier: MIT */
/* The logs of package managers, and what these run of themselves. Pure: a file's text; of a log, the earliest time in it (0: none). */
#pragma once

#include "clues/fact.h"

/* name: of the file, for a fact's place. Facts are added to `answer`. */
uint64_t package_log_dpkg(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
uint64_t package_log_rpm(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text); /* dnf's, yum's, zypper's */
uint64_t package_log_apt(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text);
/* dpkg's triggers on files; log: dpkg's, which says whether they ran. */
void package_triggers(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text, struct bytes log);
