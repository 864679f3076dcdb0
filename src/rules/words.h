/* SPDX-License-Identifier: MIT */
/* The words of a line, and what somebody may have meant by one that nobody knows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/bytes.h"
#include "util/err.h"

#define WORDS_MAX 512 /* of one line: 64 fields with their options, and some system calls apart */

struct words {
    char *memory; /* owned; each word ends in NUL */
    char *word[WORDS_MAX];
    unsigned count;
};

/* Separated by spaces and tabs; "\ " is a space in a word, "\\" a backslash. -EINVAL: a NUL in it, or
 * too many words. */
int words_split(struct bytes line, struct words *ret, struct err *err);
void words_done(struct words *words);

/* The name that is nearest to `word`, so that a slip of a letter or two is found: feed it all names. */
struct guess {
    const char *word;
    char best[64];
    unsigned distance;
};
void guess_begin(struct guess *guess, const char *word);
void guess_offer(struct guess *guess, const char *name);
/* "; did you mean NAME?", or "". Valid as long as `buffer`. */
const char *guess_text(const struct guess *guess, char *buffer, size_t size);
