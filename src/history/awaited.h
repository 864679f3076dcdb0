/* SPDX-License-Identifier: MIT */
/*
 * Events that are not decoded, since nothing in them is what is looked for: whether all paths that their system call
 * announced ("items=") are in the log. One that lacks some may have been of the path that is asked for; so may one without its call, if
 * what is left has no directory. One thread; bounded.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "history/node.h"
#include "search/lines.h"
#include "util/bytes.h"

#define AWAITED_MAX 256 /* events whose records interleave */

struct awaited {
    struct {
        const struct node *node; /* compared only */
        uint64_t sec, serial;
        int64_t left;      /* paths that have not come; below 0: the call that announces them has not */
        bool called, used; /* its call came; the row is an event's */
        bool placed;       /* without its call: a record says where it was */
    } rows[AWAITED_MAX];
    unsigned at, last, open; /* open: rows that are used */
    uint64_t incomplete; /* given up: their place was needed */
};

/* A record of such an event of that machine: `text` is its line, without newline. */
void awaited_see(struct awaited *a, const struct node *node, const struct search_line *line, struct bytes text);
/* A machine's boot has ended, or the log (node NULL): nothing comes any more. How many were never whole since the last call. */
uint64_t awaited_end(struct awaited *a, const struct node *node);
