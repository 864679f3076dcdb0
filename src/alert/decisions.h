/* SPDX-License-Identifier: MIT */
/* What became of the last events, for whoever asks why. One thread. */
#pragma once

#include <stdint.h>

#include "alert/expect.h"
#include "util/bytes.h"

#define DECISIONS_MAX 65536 /* 2.6 MB */

struct decision {
    uint8_t event[16];
    uint8_t expected;   /* enum expected; EXPECTED_NONE: it was not */
    uint8_t row;        /* of severity.h, where it was not */
    uint16_t block;     /* of the rules then, for EXPECTED_BLOCK */
    uint32_t rules;     /* which rules: they are counted */
    uint32_t silence;   /* its number; 0: it was not silenced */
    uint64_t matter;    /* its number; 0: none */
};

struct decisions {
    struct decision *ring; /* NULL: nothing yet */
    uint64_t count;
};

/* A copy of it is kept; the oldest one gives way to it. Without memory it is not kept, and decisions_find() has none of it. */
void decisions_add(struct decisions *d, const struct decision *decision);
/* The newest that begins so. -ENOENT, -EEXIST: several events do. */
int decisions_find(const struct decisions *d, struct bytes id, struct decision *ret);
void decisions_done(struct decisions *d);
