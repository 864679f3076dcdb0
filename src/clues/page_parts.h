/* SPDX-License-Identifier: MIT */
/* What the files of the page for people share: labels, moments, what is in the text at all. */
#pragma once

#include "clues/page.h"

#define PAGE_LABEL 10 /* columns of what a line begins with */

/* What a line begins with; an empty label: one that goes on with those above it. */
void clue_put_label(const struct clue_page *p, struct sbuf *out, const char *label);
/* A moment of CLOCK_REALTIME, in local time; the day too, if it is not that of now_ns. */
void clue_put_time(struct sbuf *out, uint64_t ns, uint64_t now_ns);
/* Is it one of whom the page names as suspects? */
bool clue_is_suspected(const struct clue_page *p, const struct clue_fact *f);
/* Is it a line of what happened (else: of what is set to happen)? */
bool clue_is_shown(const struct clue_page *p, const struct clue_fact *f, bool happened);
/* Is it anywhere in the page, or in JSON alone? */
bool clue_is_in_text(const struct clue_page *p, const struct clue_fact *f);
