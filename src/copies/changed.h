/* SPDX-License-Identifier: MIT */
/* Files that were changed, and when each is to be kept. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/hash_table.h"

/* Times are CLOCK_MONOTONIC's. */
struct changed_file {
    uint64_t due_ms; /* 0: nothing is to be done */
    uint64_t kept_ms;
    bool large; /* it is kept less often */
    bool busy;  /* somebody had it open for writing when it was to be held */
    UT_hash_handle hh;
    size_t len;
    char path[];
};

/* NULL: it is not there; with `make` that there are too many, or no memory. */
struct changed_file *changed_of(struct changed_file **changed, struct bytes path, bool make);
