/* SPDX-License-Identifier: MIT */
/* What the files of engine*.c share: the table of engines while they are used. Not for others. */
#pragma once

#include "engine/engine_ask.h"
#include "util/hash_table.h"
#include "util/limits.h"

#define ENGINES 9

struct known_container {
    struct container *container; /* owned reference */
    unsigned group;              /* index of the first row with the engine's name */
    bool inspected;              /* the engine was asked for all of it: what only its record says is known */
    bool gone;                   /* destroyed: kept for those who ask who did something */
    size_t gone_place;           /* in the ring of those */
    uint64_t oom_ns;             /* CLOCK_REALTIME: the last report of out of memory; 0 = never */
    UT_hash_handle by_id;        /* ids of machines are names: two engines may have the same */
    char key[];                  /* group, then the id */
};

struct by_cgroup {
    struct known_container *known;
    UT_hash_handle hh;
    char path[];
};

struct engine_slot {
    const struct engine_ops *ops;
    unsigned group;
    void *context;
    struct asker *asker; /* remote ones */
    int fd;              /* the one in the epoll set, -1 = none */
    bool hangs, silence_said;
    uint64_t silent_since_ns; /* CLOCK_MONOTONIC: of the first question without an answer, while it hangs */
    uint64_t retry_ns;   /* CLOCK_MONOTONIC: one that hangs is not asked before */
};

struct engines {
    struct engines_options options;
    struct oci *oci;
    struct engine_slot slots[ENGINES];
    struct engine_state states[ENGINES];
    struct known_container *known;
    struct by_cgroup *cgroups;
    uint64_t gone_count;
    struct known_container *gone[LIMIT_GONE]; /* a ring of those that were destroyed, oldest first */
    uint64_t next_unknown_ns;
    unsigned patience_ms;
    int epoll_fd;
    unsigned current; /* row whose stream is being read */
};

/*
 * engine_row.c: one row is asked. i: its index. A daemon is waited for as long as engines_set_patience() says; what it says
 * too late is handed to whoever asks the same again. Errors: -ENODEV not running, -ETIMEDOUT no answer, -ENOENT, what the
 * engine says; err has the words.
 */
/* r >= 0, with an answer that the caller ends with answer_done(); for rows with an asker. */
int engine_row_ask(struct engines *e, struct engine_slot *s, enum ask_kind kind, struct bytes word, struct answer *ret,
                   struct err *err);
/* Remembers all its containers. */
int engine_row_list(struct engines *e, unsigned i, struct err *err);
/* The view of one by name or id; the caller's, ended with container_view_done(). */
int engine_row_view(struct engines *e, unsigned i, struct bytes word, struct container_view *ret, struct err *err);
/* By such a result: the engine is there and does not answer, so that it may have more containers than are known. */
bool engine_row_is_silent(int r);
/* Into the epoll set, whose events carry `row`; fd < 0: nothing. A closed descriptor leaves the set by itself. */
void engine_follow_fd(struct engines *e, int fd, uint32_t row);

/* engine_known.c: what is remembered */
struct known_container *known_find(struct engines *e, unsigned group, struct bytes id);
void known_remember(struct engines *e, unsigned group, struct container *c);
void known_gone(struct engines *e, unsigned group, struct bytes id);
void known_forget_all(struct engines *e);
struct container *known_by_cgroup(struct engines *e, struct bytes cgroup);

/* engine_words.c: the messages; those that are remembered are the candidates */
int words_no_such(struct engines *e, struct bytes name, struct err *err);
int words_ambiguous(struct engines *e, struct bytes name, struct err *err);
