/* SPDX-License-Identifier: MIT */
/* Below which folders there are names: a folder that went empty is no reason to look through all names. */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"

struct below_folder; /* below.c */

struct names_below {
    struct below_folder *folders; /* owned; those that have something below them */
    bool unsure;                  /* there was no room for one */
};

/* Each name once, until it is removed. Out of memory: then any folder may have names below it. */
void below_add(struct names_below *b, struct bytes path);
void below_remove(struct names_below *b, struct bytes path);
/* False: no name that was added lies below `folder`, itself apart. */
bool below_has(const struct names_below *b, struct bytes folder);
void below_forget(struct names_below *b); /* zeroed is fine */
