/* SPDX-License-Identifier: MIT */
/* The one sentence of a culprit; all escaped for a terminal. */
#pragma once

#include "report/case_state.h"

/* "on the host", "in container web itself", "" if not known. */
void case_where(const struct culprit *s, struct sbuf *out);
/* What the sentence says of a culprit, the gravest first; returns how many. */
size_t sentence_tallies(const struct culprit *s, const struct tally **said, size_t max);
/* The one sentence of a culprit, without a newline. */
void case_sentence(const struct case_ *c, const struct culprit *s, struct sbuf *out);
/* The sentence where there is nobody to accuse. */
void case_sentence_nobody(const struct case_ *c, struct sbuf *out);
/* "12 more events did not match the filters" */
void case_filtered(const struct case_ *c, struct sbuf *out);
