/* SPDX-License-Identifier: MIT */
/* All that is judged, for the files of alert/. */
#pragma once

#include "alert/alerts_options.h"
#include "alert/decisions.h"
#include "alert/matter.h"
#include "alert/redact.h"
#include "alert/renewed.h"
#include "alert/series.h"
#include "alert/starts.h"
#include "alert/usual.h"

struct alerts {
    struct alerts_options options;
    struct expect_rules rules;
    uint32_t rules_number;
    struct arena arena;            /* of what the sensors see */
    struct bytes sensors, not_seen;
    struct matter *matters;        /* uthash */
    unsigned cases;
    uint64_t last_number, next_tick_ns;
    struct gap silent_engine;      /* one that does not answer, as it was reported */
    uint64_t silence_due_ns;       /* CLOCK_MONOTONIC: when that is an alert; 0 = no */
    struct alerts_counts counts;
    struct alert_counts_by_watch by_watch;
    struct decisions decisions;
    struct silences silences;
    struct redact redact;
    struct usual *usual;
    struct starts *starts;
    struct renewed renewed;
};

/* False: out of memory; it is due still, and tried again. */
bool alerts_emit(struct alerts *a, struct matter *m, enum alert_state state, uint64_t now_ns);
/* As they are known now: a start since the last message counts. */
struct facts alerts_facts(const struct alerts *a, const struct matter *m);
void alerts_drop(struct alerts *a, struct matter *m);
