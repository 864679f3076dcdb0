/* SPDX-License-Identifier: MIT */
/*
 * Which files a matter made itself a moment ago: that it writes to them, gives them away and removes them is how programs work, and takes
 * nothing from anybody. Bounded: what is forgotten is a file like any other. One thread.
 */
#pragma once

#include <stdbool.h>

#include "event/event.h"
#include "util/fingerprint.h"

#define MADE_NS (5 * 60 * NS_PER_S) /* afterwards it is a file like any other */
#define MADE_MAX 256                /* 8 kB; of two that fall on one place the newer one counts */

struct made {
    struct made_file {
        struct fingerprint path;
        uint64_t inode; /* 0: not known */
        uint64_t made_ns;
    } *files;           /* NULL: none yet */
};

/* Did it make the file, or a directory above it? Before made_add() of the same event. */
bool made_has(const struct made *m, const struct event *e, uint64_t now_ns);
/* Now: what came into being is one more; what moved may be whatever it was, and what is at any name is not known any more. */
void made_add(struct made *m, const struct event *e, uint64_t now_ns);
void made_done(struct made *m);
