/* SPDX-License-Identifier: MIT */
/*
 * The directories above a watched path: with one that is moved goes the path, and what is mounted over one hides it.
 * Each has a rule of its own for moves and mounts of that name; what they record of other names in it is nobody's.
 */
#pragma once

#include "event/event.h"
#include "sensor/audit/meaning.h"
#include "sensor/audit/mounts.h"
#include "sensor/audit/rules.h"

struct audit_object;

#define AUDIT_WAY_MAX 16 /* the nearest ones; a longer way is rare, and each costs three rules */

struct audit_way {
    struct audit_step {
        size_t len;              /* so much of the path is this directory; 1: the root */
        struct file_state state; /* known == 0: it is not there */
    } steps[AUDIT_WAY_MAX + 1];  /* the last one is the root, or what is above the nearest */
    unsigned count;
    struct audit_rule_set *rules;
    struct audit_mounts mounts;  /* at these directories */
};

/* Look at the directories, and place their rules. What cannot be had is left out: the path itself is watched. */
void audit_way_place(struct audit_object *o, struct audit_rules *rules);
void audit_way_done(struct audit_object *o, struct audit_rules *rules);

/* The event of a change that is one of the way, or NULL: it is none. Only operation, outcome and paths are filled in. */
struct event *audit_way_tell(const struct audit_object *o, const struct audit_facts *facts, const struct audit_change *change);
/* The directory that the path stands in, by what the records told of it. */
bool audit_way_is_parent(const struct audit_object *o, const struct audit_path *p);
/* What a change did to the way: which directories it leads through now, and whether the path is to be looked at again. */
void audit_way_apply(struct audit_object *o, const struct audit_facts *facts, const struct audit_change *change);
