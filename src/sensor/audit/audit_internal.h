/* SPDX-License-Identifier: MIT */
/*
 * What the three parts of the audit sensor share: audit.c (its life, the stream), handle.c (a group of
 * records becomes events), upkeep.c (what has to be looked at again and again).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "sensor/audit/complete.h"
#include "sensor/audit/facts.h"
#include "sensor/audit/group.h"
#include "sensor/audit/held.h"
#include "sensor/audit/object.h"
#include "sensor/audit/rules.h"
#include "sensor/audit/session.h"
#include "sensor/sensor.h"
#include "util/clock.h"
#include "util/limits.h"

#define AUDIT_MARK_TYPE 1121 /* AUDIT_TRUSTED_APP: a message of our own, so that the stream's end is seen */
#define AUDIT_LOOK_MS 10000  /* a removal of rules whose record was kept from us is noticed by then */
#define AUDIT_GHOST_MS 2000  /* records that are under way still find what is not watched any more */

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
    struct audit_held *held;
    bool window, replay, replaying;
    uint64_t window_boot_ns;      /* CLOCK_BOOTTIME: the window's rules stand since */
    struct audit_completion completion;
    uint64_t next_tick_ms, next_check_ms, next_rewalk_ms, next_flags_ms;
    uint64_t lost_paths, lost_records, lost_held; /* since the last tick */
    uint64_t gap_from_ns;
    uint64_t next_look_ms, rules_stood_ns; /* our rules in the kernel: the next look, the last good one */
    uint64_t jiffy_ns;
    uint64_t opened_ms; /* CLOCK_REALTIME: the stream stands since */
    char mark[64];
    bool mark_seen;
    bool asked_for; /* another program wants to own the stream */
    char not_seen[256];
    char host[256];
};

static inline uint64_t now_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / NS_PER_MS;
}

/* The gap reaches from s->gap_from_ns to now. */
void audit_tell_gap(struct sensor *s, enum lost reason, uint64_t count, const char *text);

/* A group of the stream: its changes are told. `data`: the sensor. */
void audit_handle_group(void *data, const struct audit_group *group);
/* The indexes learn what no record told. */
void audit_rewalk(struct sensor *s);
/* What was kept while a container started, once more for the objects that are there since. */
void audit_handle_held(struct sensor *s);

/* Something else stands at the path than what the rules are for. */
void audit_place_again(struct sensor *s, struct audit_object *o);
/* Only while we own the stream and nobody else listens: leave out what nobody here needs. */
void audit_exclude_records(struct sensor *s, bool on);
/* Rules for the changes of names anywhere. */
/* Was somebody looking when the life of the container began to which this object belongs? Else it is a gap. */
void audit_check_start(struct sensor *s, const struct audit_object *o);
int audit_window(struct sensor *s, bool on, struct err *err);
/* Our rules are looked at within a moment. */
void audit_look_soon(struct sensor *s);
/* Whatever is due now. */
void audit_upkeep(struct sensor *s);
