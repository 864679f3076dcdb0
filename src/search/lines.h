/* SPDX-License-Identifier: MIT */
/*
 * A block of log text as a table of its lines: where each is, its type, time and serial, and
 * whether the needle is in it. Nothing else is looked at. Pure; runs in several threads.
 */
#pragma once

#include "search/needle.h"

struct search_line {
    uint64_t sec, serial;
    uint32_t offset, len; /* in the block, without newline; ends at a NUL */
    int32_t type;         /* -1: a name that nobody knows */
    uint16_t milli;
    bool hit;             /* may be what is searched for */
    bool same;            /* of the same event as the line before it in the table */
    bool cut;             /* the stamp is not whole (ausearch reads it all the same): time and serial are not to be believed */
    uint32_t node_at;     /* offset in the line; node_len 0 = none */
    uint32_t node_len;
};

struct search_lines {
    struct search_line *lines;
    uint32_t count, size;
    uint64_t damaged; /* neither empty nor a record */
};

struct search_lines_options {
    const struct needle *needle;
    const int *types; /* -m: one of an event's records is of such a type */
    unsigned type_count;
    uint64_t start_s, end_s; /* outside: not in the table. 0 = open */
};

void search_lines_done(struct search_lines *lines); /* frees the table, not the text that it points into */

/* -ENOMEM only. */
int search_lines_read(struct bytes text, const struct search_lines_options *options,
                      struct search_lines *ret);
