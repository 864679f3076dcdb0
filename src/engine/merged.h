/* SPDX-License-Identifier: MIT */
/* A directory that several layers make up. One thread at a time may use it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/sbuf.h"

/* A directory: the directories of the layers that it is made of, topmost first. */
struct merged {
    struct merged_part {
        int fd; /* O_PATH, owned */
        size_t layer;
    } *parts;
    size_t count;
};

/* Closes what it holds; an empty one too. */
void merged_done(struct merged *m);
/* One more directory, below those that are there; it takes `fd`. -ENOMEM: it does not. */
int merged_add(struct merged *m, int fd, size_t layer);

/* The names in a directory, each once, in the order of bytes, whiteouts among them: look them up. With
 * top_only those of its topmost part alone. Each ended by NUL, in `names`. */
int merged_names(const struct merged *directory, bool top_only, struct sbuf *names, size_t *ret_count);
