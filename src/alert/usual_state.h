/* SPDX-License-Identifier: MIT */
/* What is kept of what is usual, for the files of alert/usual. */
#pragma once

#include "alert/minutes.h"
#include "alert/usual_limits.h"
#include "util/fingerprint.h"
#include "util/hash_table.h"

struct usual_cause_key {
    struct fingerprint cause; /* cause_find_habit() of cause/habit.h */
    uint64_t watch;           /* its number */
};

struct usual_cause {
    UT_hash_handle hh;
    struct usual_cause_key key;
    uint64_t last_ns, first_ns; /* first: of this time that it is new */
    uint64_t new_since_ns;      /* 0: it was not new then, or nothing could be said */
    uint64_t seen_since_ns;     /* the first time of all; 0: not known */
    uint64_t kept_ns;           /* last_ns, as the disk has it about */
};

struct usual_watch {
    UT_hash_handle hh;
    uint64_t number;            /* from 1 */
    uint64_t since_ns;          /* recorded without a gap since; 0: it is not watched now */
    uint64_t forgotten_ns;      /* some cause that is not known any more was seen then, none later */
    unsigned permissions;
    bool listed;
    bool lost;                  /* some cause that was seen is not known any more, whenever that was */
    struct minutes minutes;
    struct usual_day {
        uint64_t day;           /* since 1970 */
        uint64_t busiest;       /* changes in ten minutes */
    } days[USUAL_DAYS + 1];
    size_t text_len;
    char text[];
};

struct usual {
    struct usual_watch *watches; /* uthash, by text */
    struct usual_cause *causes;  /* uthash: the one that was seen longest ago is the first */
    uint64_t last_watch, learning_ns, changes;
    bool dropped;                /* a watch, which may come again */
    bool clock_known;
    int64_t clock_offset_ns;     /* CLOCK_REALTIME is so far before CLOCK_BOOTTIME */
    uint64_t now_ns;
};
