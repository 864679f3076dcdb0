/* SPDX-License-Identifier: MIT */
/*
 * What is expected of an event, by its cause: a table of rows, the first that fits counts; then the blocks of the
 * configuration. Pure, but for the local time zone. What is expected is recorded and counted as everything else, and no alert.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/block.h"
#include "event/event.h"

#define EXPECT_BLOCKS_MAX 256 /* each event that nothing else explains is compared with all of them */

enum expected {
    EXPECTED_NONE,
    EXPECTED_OWN,           /* what culprit itself and its sinks do */
    EXPECTED_READ,          /* reads and executions, opened for writing: nothing was changed */
    EXPECTED_FAILED,        /* nothing came of it, and nobody was refused */
    EXPECTED_PACKAGE,
    EXPECTED_CONTAINER,
    EXPECTED_ENGINE,
    EXPECTED_AGENT,
    EXPECTED_CONFIGURATION,
    EXPECTED_GIT,
    EXPECTED_ROTATION,
    EXPECTED_TMPFILES,
    EXPECTED_EDITOR,
    EXPECTED_BLOCK,         /* a block of the configuration */
    EXPECTED_COUNT,
};

struct expect_rules {
    uint64_t rows;              /* bit 1 << enum expected: those that count */
    const struct expect_block *blocks;
    size_t block_count;
    pid_t own_pid;              /* the daemon: what descends from it is its own */
    uint64_t own_start_ns;      /* CLOCK_BOOTTIME; 0: not known, the pid alone counts */
};

struct expected_row {
    const char *name;  /* as in the configuration, metrics and JSON */
    const char *why;   /* for people: "a package manager's transaction on files of the system" */
    bool always;       /* cannot be left out */
    bool (*is)(const struct expect_rules *rules, const struct event *e);
};

/* Never NULL. EXPECTED_NONE: "none". */
const struct expected_row *expected_row(enum expected which);
/* EXPECTED_COUNT: there is none by that name. */
enum expected expected_by_name(struct bytes name);

/* EXPECTED_NONE: it is not expected. *ret_block: the block, for EXPECTED_BLOCK; else NULL. The event's cause is known. */
enum expected expected_find(const struct expect_rules *rules, const struct event *e, const struct expect_block **ret_block);
