/* SPDX-License-Identifier: MIT */
/* A command line whose arguments each end in a NUL, the last perhaps not. Any byte may occur, and any length. */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"

struct argv {
    struct bytes rest;
};

/* args: arguments, each ended by a NUL; borrowed for as long as the result is used. */
static inline struct argv argv_of(struct bytes args)
{
    return (struct argv){ args };
}

/* The argument that *rest begins with, which may be empty; *rest is what follows. False: there is none. */
bool argv_take(struct bytes *rest, struct bytes *ret);
static inline bool argv_next(struct argv *a, struct bytes *ret)
{
    return argv_take(&a->rest, ret);
}
/* The one of that index, from 0; BYTES_NULL: there are not so many. */
struct bytes argv_at(struct bytes args, unsigned index);
/* Without the NULs at its end: what /proc shows behind the last argument, also where a program wrote over its own. */
struct bytes argv_without_nuls(struct bytes args);
/* How many there are, counted to `max`. */
unsigned argv_count(struct bytes args, unsigned max);
/* True if one of the first `max` behind the first is `word`. */
bool argv_has(struct bytes args, const char *word, unsigned max);

/* True if `word` is one of the texts of `list`, each of which ends in a space: "-o --option ". */
bool word_in(const char *list, struct bytes word);
