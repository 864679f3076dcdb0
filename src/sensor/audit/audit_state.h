/* SPDX-License-Identifier: MIT */
/* The audit sensor while it is open, for the files of this folder. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "sensor/audit/complete.h"
#include "sensor/audit/facts.h"
#include "sensor/audit/flags_whose.h"
#include "sensor/audit/group.h"
#include "sensor/audit/startup.h"
#include "sensor/audit/object.h"
#include "sensor/audit/rules.h"
#include "sensor/audit/session.h"
#include "sensor/sensor.h"
#include "util/clock.h"
#include "util/limits.h"

#define AUDIT_MARK_TYPE 1121 /* AUDIT_TRUSTED_APP: a message of our own, so that the stream's end is seen */
#define AUDIT_LOOK_MS 10000  /* a removal of rules whose record was kept from us is noticed by then */
#define AUDIT_TOMBSTONE_MS 2000  /* records that are under way still find what is not watched any more */

struct audit_flags { /* of flags.h; zeroed: nothing is looked for */
    uint64_t due_ms;   /* CLOCK_MONOTONIC: a round begins then, or goes on; 0: none */
    uint64_t next_ms;  /* not before that, so that whoever changes flags all day elsewhere does not keep us busy */
    uint64_t serial;   /* for the identity of the next event that no record led to */
    uint64_t number;   /* of the last call or find (flags_whose.h) */
    uint64_t round_number; /* the same when the round began */
    bool round_unseen; /* it could not look at all names */
    struct flags_call call;        /* whose records are to be kept; number 0: none */
    struct audit_flags_open *open; /* what is not decided yet; NULL until there is something */
};

struct sensor {
    struct sensor_options options;
    struct audit_session session;
    struct audit_rules *rules;
    struct audit_grouper *grouper;
    struct audit_scratch scratch;
    struct audit_facts facts;
    struct audit_object *objects; /* by view: the nearest to the victim first */
    struct audit_rule_set *pathless_rules, *window_rules, *excluded;
    unsigned permissions;         /* of all objects together */
    struct startup_buffer *startup;
    bool window, replay, replaying, backlog_full;
    uint64_t window_boot_ns;      /* CLOCK_BOOTTIME: the window's rules are loaded since */
    struct audit_completion completion;
    uint64_t next_tick_ms, next_check_ms, next_rewalk_ms;
    struct audit_flags flags;
    uint64_t lost_paths, lost_records, lost_startup; /* since the last tick */
    uint64_t gap_from_ns;
    uint64_t next_look_ms, rules_loaded_ns; /* our rules in the kernel: the next look, the last good one */
    uint64_t jiffy_ns;
    uint64_t opened_ms; /* CLOCK_REALTIME: the stream is open since */
    char mark[64];
    bool mark_seen;
    bool asked_for; /* another program wants to own the stream */
    char not_seen[256];
    char host[256];
};

