/* SPDX-License-Identifier: MIT */
/*
 * Which programs and scripts were changed recently, as the record has it: what they do from then on they may not have done before. Bounded: what
 * is forgotten is not claimed. Pure. One thread.
 */
#pragma once

#include "event/event.h"
#include "util/fingerprint.h"
#include "util/macro.h"

#define RENEWED_NS (24ull * 3600 * NS_PER_S) /* longer ago it says nothing */
#define RENEWED_MAX 4096                     /* 96 kB, and 448 kB for versions; of two that fall on one place the newer one counts */
#define RENEWED_VERSION_MAX 40               /* bytes of a version, with its NUL; a longer one is not kept */

/* Of a program that was seen to run before it was changed and afterwards. */
struct renewed_versions {
    char before[RENEWED_VERSION_MAX], now[RENEWED_VERSION_MAX]; /* "": not known */
};

struct renewed {
    struct renewed_file {
        struct fingerprint file; /* whose, and its path */
        uint64_t time_ns;        /* CLOCK_REALTIME; 0: none */
    } *files;                    /* NULL: none yet */
    struct renewed_program {
        struct fingerprint file;
        struct renewed_versions versions;
        uint64_t before_last_ns, now_first_ns, now_last_ns; /* when it was seen to have them */
    } *programs;                 /* the same */
};

/* Each event, expected or not. */
void renewed_add(struct renewed *r, const struct event *event);
/* The file that the event's cause is: a script, else the program. BYTES_NULL: there is none that can be named. Borrowed from the event. */
struct bytes renewed_program(const struct event *event);
/* When that file was last changed, before the process that ran it began. 0: it was not, or that is not known. */
uint64_t renewed_find(const struct renewed *r, const struct event *event);
/* What its package's version was before it was changed at renewed_ns, and is now, as far as the package manager's records say. */
struct renewed_versions renewed_versions(const struct renewed *r, const struct event *event, uint64_t renewed_ns);
void renewed_done(struct renewed *r);
