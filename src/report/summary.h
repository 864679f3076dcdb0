/* SPDX-License-Identifier: MIT */
/*
 * Summaries as aureport makes them: events counted by what they have in common, the most first.
 * Memory is bounded: at most SUMMARY_ROWS_MAX rows; what comes beyond is counted as "others".
 */
#pragma once

#include <stdint.h>

#include "event/event.h"
#include "util/sbuf.h"

#define SUMMARY_ROWS_MAX 65536

enum summary_by {
    SUMMARY_CAUSE,   /* what was run and what started it, as a verdict names it */
    SUMMARY_PROGRAM, /* the executable */
    SUMMARY_USER,    /* who logged in, else the user that the process ran as */
    SUMMARY_FILE,    /* the path as the victim sees it; of a rename the old one */
    SUMMARY_HOUR,    /* of local time; in order of time, not of number */
};

enum summary_order {
    SUMMARY_BY_COUNT, /* changes */
    SUMMARY_BY_BYTES, /* bytes written, as far as they are known */
};

struct summary;

/* "cause", "program", "user", "file", "hour". */
bool summary_by_parse(struct bytes word, enum summary_by *ret);

struct summary *summary_new(enum summary_by by); /* NULL: out of memory */
void summary_free(struct summary *s);            /* NULL is fine */
/* Copies what it keeps. */
void summary_add(struct summary *s, const struct event *event);

/* The first `top` rows (0 = all), then what the others add up to. ">1.2 kB": of some writes only the growth is known. */
void summary_write_text(struct summary *s, enum summary_order order, uint64_t top, struct sbuf *out);
/* One line of JSON a row: {"by":"program","name":...,"changes":N,"deleted":N,"refused":N,"bytes_written":N,"first":...,
 * "last":...}; what the rows left out add up to is a line with "others": how many rows. */
void summary_write_json(struct summary *s, enum summary_order order, uint64_t top, struct sbuf *out);
