/* SPDX-License-Identifier: MIT */
/* A pruner, for its own files. A step is one of a task: 1, there is more of it, 0, it is done, or -errno. */
#pragma once

#include "store/block.h"
#include "store/compact.h"
#include "store/retention.h"
#include "store/rollup.h"
#include "store/row_set.h"
#include "store/rows_in_use.h"
#include "util/arena.h"

#define DAY_NS (24 * ROLLUP_HOUR_NS)
#define PRUNE_CHANGES_MAX 64 /* one by one, in a step */

/* In this order: what refers to something goes before it. */
enum task { EVENTS, WATCH_EVENTS, BLOCKS, WATCH_BLOCKS, LIVES, GAPS, COVERAGE, ROLLUP, DAILY, DIRECTORIES, MARK, PROCESSES, CONTAINERS, VACUUM, IDLE };

struct watch_sweep {
    int64_t row;
    uint64_t age_ns;    /* 0: none of its own, any more */
    uint64_t floor_ns, at_ns; /* all of it that is older than at_ns has gone: rows */
    uint64_t swept_ns;        /* likewise: in blocks */
    struct bytes text;
};

#define PRUNE_STATEMENTS 24

/* What fails is tried again after a pause that gets longer; until it has gone through, why it did not. */
struct prune_failing {
    struct err why;
    uint64_t pause_ns;
};

struct prune_statement {
    const char *sql;
    sqlite3_stmt *statement;
};

struct pruner {
    sqlite3 *db;
    const char *path;
    struct store_retention retention;
    struct arena arena;
    struct watch_sweep *watches;
    struct block_reader *reader;
    struct event_block *anew; /* what stays of one */
    struct prune_statement statements[PRUNE_STATEMENTS]; /* of prune_run() */
    struct compactor *compactor; /* NULL: rows stay rows */
    uint64_t compact_ns;   /* CLOCK_MONOTONIC: when next */
    enum task task;
    size_t watch;          /* that is swept */
    uint64_t look_ns, sweep_ns; /* CLOCK_MONOTONIC: when next */
    uint64_t floor_ns;
    bool known;            /* floor_ns is the store's */
    bool too_big;
    bool full;             /* room is to be made: this round removes something, if there is enough of it */
    bool removed;          /* events, since processes were swept */
    bool forget;
    unsigned rows;         /* in one step */
    int64_t at[11];        /* how far a sweep has come */
    int64_t last;          /* where it ends */
    struct row_set processes, containers; /* that something refers to */
    struct prune_failing rounds, compacting;
    struct err unmarked;   /* what could not be read of the last round, and stays */
};

/* Numbers are bound in order; sql: a literal, which the statement is remembered by. Returns the rows that changed, or -errno. */
int64_t prune_run(struct pruner *p, const char *sql, const int64_t *values, unsigned count, struct err *err);
void prune_forget_statements(struct pruner *p);
int prune_number(struct pruner *p, const char *sql, const int64_t *values, unsigned count, uint64_t *ret, struct err *err);

/* Moves the times before which nothing counts. *ret_work: there may be something to remove. */
int prune_look(struct pruner *p, uint64_t now_ns, bool *ret_work, struct err *err);

/* One that is too old as a whole. */
int prune_step_blocks(struct pruner *p, struct err *err);
int prune_step_watch_blocks(struct pruner *p, struct err *err);
/* In the order of their key, a part of the table in each step. */
int prune_step_rollup(struct pruner *p, struct err *err);
int prune_step_daily(struct pruner *p, struct err *err);
int prune_step_directories(struct pruner *p, struct err *err);
/* Marks the processes that events refer to, and a writer. */
int prune_step_mark(struct pruner *p, const struct rows_in_use *in_use, struct err *err);
/* Marks some of the containers that were counted by day. */
int prune_mark_daily(struct pruner *p, struct err *err);
/* Notes what a process that is kept refers to. */
int prune_mark_process(struct pruner *p, int64_t parent, int64_t earlier, int64_t container, struct err *err);
int prune_step_processes(struct pruner *p, struct err *err);
/* Those in packs, after all that are rows: one pack. */
int prune_step_packs(struct pruner *p, struct err *err);
int prune_step_containers(struct pruner *p, struct err *err);
