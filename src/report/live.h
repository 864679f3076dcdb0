/* SPDX-License-Identifier: MIT */
/*
 * Events as lines while they come: a long run of equal ones is folded, also where several processes take turns,
 * and creating a file and filling it is one line. Lines, what is folded and what a line takes in add up to all events.
 * A line may wait for a moment; in order of time all the same. Not thread-safe.
 */
#pragma once

#include <stdint.h>

#include "event/event.h"
#include "event/sentence.h"
#include "util/sbuf.h"

#define LIVE_WAITING_MAX 32 /* lines that wait */
#define LIVE_RUNS_MAX 16 /* runs that interleave */

struct live_run {
    enum operation operation;
    int error;
    struct fingerprint suspect; /* event_suspect(): the processes of one script take turns in one run */
    uint32_t watch;
    pid_t pid;            /* 0 = several */
    unsigned count;       /* events of it so far, those shown included; 0 = no run */
    uint64_t folded;      /* not shown and not said yet */
    uint64_t until_ns;    /* time of the last one */
    uint64_t said_ns;     /* when what is folded was last said */
    struct sbuf actor;    /* "rm" */
};

struct live_waiting {
    struct event *event;  /* owned */
    uint64_t since_ns;
};

/* {0} is a beginning. */
struct live {
    struct live_waiting waiting[LIVE_WAITING_MAX];
    size_t waiting_count;
    struct live_run runs[LIVE_RUNS_MAX];
    struct fingerprint folded_files[LIVE_WAITING_MAX]; /* the last ones whose opening was folded: filling them goes with it */
    unsigned next_file;
    const struct live_run *last; /* of the line that was written last; NULL = another kind of line */
};

void live_done(struct live *l); /* frees what waits, without printing it: live_flush() first */
/* now_ns: CLOCK_MONOTONIC. What is to be written now is appended, with newlines. */
void live_event(struct live *l, const struct event *event, const struct sentence_style *style, uint64_t now_ns,
                struct sbuf *out);
/* What has waited long enough, and folds that are a second old. */
void live_idle(struct live *l, const struct sentence_style *style, uint64_t now_ns, struct sbuf *out);
/* All of it: another kind of line follows, or nothing. The next event begins a new run. */
void live_flush(struct live *l, const struct sentence_style *style, uint64_t now_ns, struct sbuf *out);
