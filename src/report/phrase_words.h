/* SPDX-License-Identifier: MIT */
#pragma once

#include "event/operation.h"
#include "report/case_state.h"

/* "%" marks the place of the object in a phrase. */
struct phrase_words {
    const char *did, *attempt, *done;
    const char *one, *many; /* what is counted; NULL: file or directory */
};

/* The words for what a tally counts; never NULL. They live as long as the program. */
const struct phrase_words *phrase_words_of(const struct tally *t);
/* Those of an operation, without regard to how it was done. */
const struct phrase_words *phrase_words_of_operation(enum operation operation);
/* Of attributes, what changed is known all the same: mode or owner, before and after. */
bool phrase_is_known_change(const struct tally *t);
/* Why a change was folded, or somebody is noise: the name in JSON, and the words of the page. Static; no other value than the enum's. */
const char *fold_name(enum fold fold);
const char *fold_words(enum fold fold);
const char *noise_name(enum noise noise);
const char *noise_words(enum noise noise);
