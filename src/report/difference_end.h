/* SPDX-License-Identifier: MIT */
/* The last lines of a page of differences: how many there are, by whom, what was watched; and the page as it is added up. */
#pragma once

#include "event/difference.h"
#include "report/difference_options.h"
#include "util/fingerprint.h"
#include "util/hash_table.h"
#include "util/sbuf.h"

struct difference_culprit {
    struct fingerprint suspect; /* event_suspect() */
    uint64_t counts[DIFFERENCE_COUNT], total;
    char *text;       /* "s1-agent root · host" */
    UT_hash_handle hh;
};

struct difference_page {
    struct difference_page_options options;
    uint64_t count, counts[DIFFERENCE_COUNT];
    uint64_t unrecorded[UNRECORDED_UNSEEN + 1];
    struct difference_culprit *culprits;
    uint64_t others; /* differences by culprits beyond CULPRITS_MAX */
    /* the run that is being folded */
    enum difference_kind kind;
    enum unrecorded reason;
    struct fingerprint suspect;
    unsigned run;
    uint64_t folded;
};

/* The culprits of `p` are in order after it, those with most differences first. */
void difference_end_text(struct difference_page *p, const struct difference_end *end, struct sbuf *out);
/* One line. */
void difference_end_json(const struct difference_page *p, const struct difference_end *end, struct sbuf *out);
