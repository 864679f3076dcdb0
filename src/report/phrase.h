/* SPDX-License-Identifier: MIT */
/* What was done, in words; all escaped for a terminal. */
#pragma once

#include "report/case_state.h"
#include "report/phrase_words.h"

/* How many different files, 0: not known. */
uint64_t tally_files(const struct tally *t);
/* "deleted 21 files": one part of the sentence. */
void phrase_did(const struct tally *t, bool with_times, bool with_victim, struct sbuf *out);
/* "moved /data/mid to /data/gone": of a change above what is watched; false of others. */
bool phrase_above(const struct tally *t, struct sbuf *out);
/* "21 files deleted in /prd/ProcessConf": one line of what was done. */
void phrase_done(const struct tally *t, struct sbuf *out);
