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

#define OWN_PROCESSES_MAX 80 /* the daemon, what starts its guards, and who holds them */

/* Processes of culprit's own. The first ones that are added are parents: what descends from them is its own as well. */
struct own_processes {
    struct own_process {
        pid_t pid;         /* 0: none */
        uint64_t start_ns; /* CLOCK_BOOTTIME; 0: not known, the pid alone counts */
        bool parent;
        uint64_t gone_ns;  /* when it was first found to have ended; 0: it was there */
    } all[OWN_PROCESSES_MAX];
    unsigned next;
};

/* One that is there already is not added again; beyond OWN_PROCESSES_MAX the oldest that is no parent gives way. */
void own_processes_add(struct own_processes *own, pid_t pid, uint64_t start_ns, bool parent);

/*
 * Those that have ended are nobody's own for long: their numbers become other processes', and an alert of those must come. For a
 * minute they stay, as their last work may be reported late. now_ns: CLOCK_MONOTONIC.
 */
void own_processes_look(struct own_processes *own, uint64_t now_ns, bool (*is_there)(pid_t pid, uint64_t start_ns));

#define OWN_FLAGS_MAX 64
#define OWN_FLAGS_TARGET 256

/* Where culprit's own guards set or took away flags: records of that may come too late to say who it was. */
struct own_flags {
    struct {
        char target[OWN_FLAGS_TARGET]; /* of a watch, as it is written; empty: any */
        uint64_t from_ns, to_ns;       /* CLOCK_REALTIME */
    } all[OWN_FLAGS_MAX];
    unsigned next;
};

/* About now; the oldest gives way. target BYTES_NULL: which one is not known; one that is too long is not noted. */
void own_flags_add(struct own_flags *own, struct bytes target, uint64_t now_ns);

struct expect_rules {
    uint64_t rows;              /* bit 1 << enum expected: those that count */
    struct expect_values editors; /* of the row editor: names, paths or patterns */
    const struct expect_block *blocks;
    size_t block_count;
    const struct own_processes *own; /* NULL: none. Borrowed */
    const struct own_flags *own_flags; /* the same */
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
