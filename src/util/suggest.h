/* SPDX-License-Identifier: MIT */
/* "did you mean": the known word that is nearest to what somebody typed. Pure, and bounded for any input. */
#pragma once

#include "util/bytes.h"

#define SUGGEST_WORD_MAX 64 /* longer words are no slips of the hand: they get no suggestion */

/* Insertions, deletions, replacements and exchanges of neighbours that make one of the other, whatever the case of
 * ASCII letters. SUGGEST_WORD_MAX + 1: one of them is too long to be compared. */
unsigned edit_distance(struct bytes a, struct bytes b);

struct suggestion {
    struct bytes typed;
    struct bytes best; /* borrowed from who offered it; BYTES_NULL: nothing is near enough */
    unsigned distance; /* of `best` */
};

/* One known word, to be called for each of them; {typed} begins. */
void suggest_offer(struct suggestion *s, struct bytes known);
