/* SPDX-License-Identifier: MIT */
/* Below which paths copies are kept, and below which within these they are not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/bytes.h"

struct copies_root {
    char *path; /* owned */
    bool keep;  /* false: what is below is left */
    bool walked; /* since roots_end_walk() */
    size_t point_len; /* the first bytes of the path are a container's root, which is mounted there while it runs; 0: of the host */
};

struct copies_roots {
    struct copies_root *items; /* owned */
    size_t count;
    bool left; /* one of them is left */
    bool mounted; /* one of them is a container's */
    size_t next_look; /* so many of containers may there be until roots_forget_ended() looks */
};

/* The root of that path, which is made where there is none. NULL: out of memory. */
struct copies_root *roots_set(struct copies_roots *roots, struct bytes path, bool keep);
void roots_forget(struct copies_roots *roots);
/* Where there are many of containers: those go whose container's root is neither mounted nor there any more. Pointers to roots are no longer good. */
void roots_forget_ended(struct copies_roots *roots);
/* By the innermost root that covers it. */
bool roots_keep(const struct copies_roots *roots, struct bytes path);
/* It covers a root: with it what is kept goes. */
bool roots_below(const struct copies_roots *roots, struct bytes path);
/* All that is kept at that path was walked through. */
bool roots_walked(const struct copies_roots *roots, struct bytes path);
void roots_end_walk(struct copies_roots *roots);
