/* SPDX-License-Identifier: MIT */
/*
 * A known product that changes other people's files: what it does on purpose, where it keeps what it
 * removes, how a path is excluded from it. Read from data/agents.json by attribution/agents.c; every
 * member is a fact that may be printed, or BYTES_NULL.
 */
#pragma once

#include "util/bytes.h"

struct agent {
    struct bytes id;         /* "sentinelone" */
    struct bytes product;    /* "SentinelOne" */
    struct bytes kind;       /* "EDR", "antivirus", "container runtime", ... */
    struct bytes does;       /* what it is known to do to files */
    struct bytes quarantine; /* where removed files are kept, how they are listed */
    struct bytes moves_by;   /* the option of its command line that names a directory into which it moves what it removes, as it is */
    struct bytes exclude;    /* how a path is excluded */
};
