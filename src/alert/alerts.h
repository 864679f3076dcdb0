/* SPDX-License-Identifier: MIT */
/*
 * Judging: each event is expected, silenced, or belongs to a matter; each matter becomes one alert, which begins, is brought up to date
 * now and then, and is resolved when it has been quiet. Memory is bounded, counts are exact. Pure, but for the local time zone: time is
 * the caller's. One thread.
 *
 * Each event is counted once: expected + silenced + reported = seen.
 */
#pragma once

#include "alert/alert.h"
#include "alert/expect.h"
#include "event/ecs.h"
#include "event/event.h"
#include "util/err.h"
#include "util/sbuf.h"

struct alerts;

struct alerts_options {
    const struct ecs_host *host; /* borrowed for the whole life */
    const struct bytes *own;     /* paths of culprit's own files; the same */
    unsigned own_count;
    void *data;
    void (*emit)(void *data, const struct alert *alert);
};

int alerts_new(const struct alerts_options *options, struct alerts **ret); /* -ENOMEM */
void alerts_free(struct alerts *a); /* NULL is fine; what is open is not reported any more */

/* Copied; what it points to is borrowed until it is replaced. */
void alerts_set_rules(struct alerts *a, const struct expect_rules *rules);
/* What the sensors see and do not see, for people; copied. */
void alerts_set_coverage(struct alerts *a, struct bytes sensors, struct bytes not_seen);

/* now_ns: CLOCK_MONOTONIC. */
void alerts_event(struct alerts *a, const struct event *event, uint64_t now_ns);
void alerts_gap(struct alerts *a, const struct gap *gap, uint64_t now_ns);
/* Something about culprit itself. what: one matter each; text: a sentence; both are ours. */
void alerts_own(struct alerts *a, const char *what, enum severity severity, const char *text, uint64_t now_ns);
/* Emits what is due. Cheap where nothing is. */
void alerts_tick(struct alerts *a, uint64_t now_ns);
/* It ends: what was not reported yet is, now. */
void alerts_end(struct alerts *a, uint64_t now_ns);

/* ---- what is counted ---- */

struct alerts_counts {
    uint64_t seen, reported, silenced;
    uint64_t expected[EXPECTED_COUNT];
    uint64_t begun[SEVERITY_COUNT]; /* matters, by the severity that they had then */
    uint64_t emitted;               /* messages */
    uint64_t crowded;               /* events of more matters than are kept apart: they are one */
    unsigned open;
};
void alerts_look(const struct alerts *a, struct alerts_counts *ret);
/* Members of an object: the counts, and what is open. */
void alerts_write_status(const struct alerts *a, struct sbuf *out);

/*
 * Why an event was an alert or was none: members of an object. id: of the event, or its first bytes. -ENOENT: it is none of the last
 * 65,536; -EEXIST: it is the beginning of several.
 */
int alerts_explain(const struct alerts *a, struct bytes id, struct sbuf *out);
