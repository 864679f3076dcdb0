/* SPDX-License-Identifier: MIT */
/* One matter: what one cause does to one victim, as one watch sees it. For the files of alert/. */
#pragma once

#include "alert/alert.h"
#include "alert/facts.h"
#include "alert/made.h"
#include "event/ecs.h"
#include "event/event.h"
#include "report/case.h"
#include "util/hash_table.h"

#define MATTER_ACTS_MAX 4096 /* bytes */

struct matter {
    UT_hash_handle hh;         /* by key */
    struct fingerprint key;    /* watch, cause, victim */
    uint64_t number;           /* from 1 */
    char id[FINGERPRINT_TEXT];
    struct arena arena;
    struct bytes watch;        /* as the user wrote it, redacted */
    struct bytes watched;      /* the same as it is; BYTES_NULL: about culprit itself */
    struct container *victim;  /* owned reference; NULL: the host, or culprit itself */
    struct case_ *case_;       /* NULL: there are too many at a time, or it is about culprit itself */
    struct bytes sentence;     /* then: of its first event, or what was said */
    struct bytes first_event;  /* as JSON, without a newline; BYTES_NULL: about culprit itself */
    struct bytes first_file;
    struct sbuf last_file;
    uint64_t events, first_ns, last_ns; /* CLOCK_REALTIME */
    uint64_t rows[SEVERITY_ROWS_MAX];   /* events, by the row of severity.h */
    enum severity severity, emitted_severity;
    unsigned techniques;
    struct sbuf acts;          /* what was done about it, a line each; bounded */
    bool acts_unsaid;          /* the last message does not have all of them */
    bool silenced;             /* from now on nothing is said of it */
    struct made made;
    struct facts facts;
    uint64_t begun_ns, last_event_ns, emitted_ns; /* CLOCK_MONOTONIC; emitted 0: not yet */
    uint64_t emitted_events;   /* as the last message said */
    unsigned emitted;          /* messages */
};

/* A matter of this event, as sinks get it, which is not counted yet. with_case: there is room for one. NULL: out of memory. */
struct matter *matter_new(struct fingerprint key, const struct event *event, const struct ecs_host *host, bool with_case);
/* One about culprit itself. NULL: out of memory. */
struct matter *matter_new_own(struct fingerprint key, const char *what, const char *text);
void matter_free(struct matter *m); /* NULL is fine */

/* Which one an event belongs to. */
struct fingerprint matter_key(const struct event *event);
struct fingerprint matter_own_key(const char *what);

/* row: severity_find(). shown: the event as sinks get it. */
void matter_add(struct matter *m, const struct event *event, const struct event *shown, unsigned row, uint64_t now_ns);
/* Counts one more occurrence of something of ours. */
void matter_add_own(struct matter *m, enum severity severity, const char *text, uint64_t now_ns);

/* Is there something to be said now, and what? */
bool matter_is_due(const struct matter *m, uint64_t now_ns, enum alert_state *ret);

struct matter_surroundings {
    const struct ecs_host *host;
    struct bytes sensors, not_seen;
};
/* The sentence, and the line with its newline: no longer than alert.h says, whatever the names of files are. */
void matter_write(struct matter *m, enum alert_state state, const struct matter_surroundings *with, struct sbuf *ret_sentence,
                  struct sbuf *ret_line);
