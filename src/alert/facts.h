/* SPDX-License-Identifier: MIT */
/* What is said of a matter beside what it is: facts with their numbers, no scores. Pure. */
#pragma once

#include "alert/minutes.h"
#include "alert/renewed.h"
#include "alert/starts.h"
#include "alert/usual.h"
#include "util/sbuf.h"

#define BURST_CHANGES 50 /* in ten minutes, at least */
#define BURST_TIMES 3    /* and more than so many times what the watch ever had */

struct facts {
    struct usual_answer new;   /* its new_since_ns 0: it is not said to be new */
    struct minutes minutes;    /* the matter's own changes */
    uint64_t burst;            /* the most of them in ten minutes; 0: no burst */
    uint64_t burst_ns;         /* since when it is one */
    uint64_t busiest, busiest_since_ns; /* what it was compared with */
    char program[256];         /* of the cause, cut */
    struct renewed_versions versions; /* of its package, before that change and since */
    uint64_t renewed_ns, begun_ns; /* it was changed then, and the matter began; 0: not known */
    bool starts_known;
    struct starts_fact starts;
};

/* One more event of the matter. usual: of its watch and cause. */
void facts_add(struct facts *f, const struct event *event, const struct usual_answer *usual);
#define FACTS_MAX 2560 /* bytes of them in words, at most */
/* At the first event: the cause's file was changed then (renewed_find(); 0: it was not). program: as it may be shown. */
void facts_set_renewed(struct facts *f, const struct event *event, const struct usual_answer *usual, struct bytes program, uint64_t renewed_ns,
                       const struct renewed_versions *versions);
/* Each a sentence behind a space; nothing where there is none. victim: NULL is fine. */
void facts_write_text(const struct facts *f, const struct container *victim, struct sbuf *out);
/* "facts": an object, where there is any. */
void facts_write_json(const struct facts *f, struct sbuf *out);
