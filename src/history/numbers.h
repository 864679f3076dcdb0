/* SPDX-License-Identifier: MIT */
/*
 * Which serial numbers a log does not have. Each machine counts its own, from each boot anew; processors write their
 * events as they come, so that numbers close to each other may be in any order. One thread; bounded.
 */
#pragma once

#include <stdint.h>

#define NUMBERS_NEAR 1000 /* numbers of one moment are closer than this */
#define NUMBERS_WINDOW 1024
#define MISSING_SPANS 64

/* Spans of time in which numbers are missing, in the order in which they were read; those that are close are one. */
struct missing {
    struct numbers_span {
        uint64_t from_ms, to_ms, count;
    } spans[MISSING_SPANS];
    unsigned count;
    uint64_t near_ms; /* what is closer is one */
};

/* Of one machine. All 0: no record yet. */
struct numbers {
    uint64_t last, last_ms;
    uint64_t other, jumped; /* before the last move that was too far for one moment; what it seemed to leave out */
    unsigned since;         /* records since then */
    uint64_t skipped[NUMBERS_WINDOW / 64]; /* a bit for each number close behind the last: it may still come */
};

enum numbers_step {
    NUMBERS_GO_ON,
    NUMBERS_ANEW,  /* another boot */
    NUMBERS_OTHER, /* back to where they were: a stamp was broken, or the records of two machines are mixed without names */
};

/* The number of a record, and its time. `missing` is kept up to date. A number that the kernel cannot give counts for nothing. */
enum numbers_step numbers_see(struct numbers *numbers, uint64_t serial, uint64_t time_ms, struct missing *missing);
/* In from_ms..to_ms (to_ms 0: no end), as one; count 0: none. */
struct numbers_span missing_between(const struct missing *missing, uint64_t from_ms, uint64_t to_ms);
