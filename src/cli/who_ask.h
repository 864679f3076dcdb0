/* SPDX-License-Identifier: MIT */
/* culprit who: one question, and how the store is asked for what belongs to it. One thread. */
#pragma once

#include "alert/folded.h"
#include "attribution/agents.h"
#include "cli/by_daemon.h"
#include "cli/expected.h"
#include "cli/print.h"
#include "cli/report_args.h"
#include "cli/who_follow.h"
#include "cli/who_log.h"
#include "cli/who_places.h"
#include "cli/who_store.h"
#include "report/summary.h"
#include "store/query.h"

#define EACH_MAX 20000 /* events: a tenth of a second */
#define EACH_BLOCKS 400 /* that are taken apart for them: half as long */

struct who_question {
    struct audit_log_files logs; /* --from: instead of the store */
    const char *store_path;
    struct daemon_question member; /* who answers if the store is not ours to read */
    struct report_args report;
    struct store_query query;
    struct printer printer;
    struct summary *summary; /* --by; NULL: verdicts */
    bool asks_expected;
    const char *config_dir;
    struct cli_expected expected;
    struct folded *folded;   /* --expected; NULL: not asked for */
    enum summary_order order;
    uint32_t top;            /* rows of it; 0 = all */
    struct case_ *case_;
    struct agents *agents; /* the store keeps a product's name; what is known of it now is here */
    struct store_machine machine;
    struct who_places places;
    struct event **above; /* changes of what lies above the target, until it is their turn */
    size_t above_count, above_added;
    uint64_t found; /* events of the target that is being asked for */
    uint64_t size;  /* how many there are, up to EACH_MAX */
    bool none;      /* nothing was counted of it: there are no events */
    bool follows;
    struct who_follow *follow; /* NULL: the answer is all */
    bool each;      /* each one is added to the case by itself, not a count of many */
};

/* Each event is printed as it is read, before the verdict: JSON does so, unless it is summed up. */
bool who_shows_events(const struct who_question *q);
/* Asks the store about one target: adds its events, lifecycles, gaps and coverage to the question's case. -errno, with err; what was
 * added before that stays in the case. */
int who_ask(struct who_question *q, struct store *store, struct who_place *place, struct err *err);
/* Adds to q->places where the record knows the targets to have led by links at other times. -errno, with err. */
int who_find_former(struct who_question *q, struct store *store, struct err *err);
/* Adds what happened at such a place while it was one. */
int who_ask_former(struct who_question *q, struct store *store, const struct who_place *place, struct err *err);
