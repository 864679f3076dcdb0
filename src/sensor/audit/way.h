/* SPDX-License-Identifier: MIT */
/*
 * The directories above a watched path: with one that is moved goes the path, and what is mounted over one hides it.
 * Each has a rule of its own for moves and mounts of that name; what they record of other names in it is nobody's.
 */
#pragma once

#include "event/event.h"
#include "event/watch_object.h"
#include "sensor/audit/mounts.h"
#include "sensor/audit/rules.h"
#include "sensor/object/watched.h"

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

/* Look at the directories above it, and place their rules. What cannot be had is left out: the path itself is watched. */
void audit_way_place(struct audit_way *way, const struct watched_object *w, struct audit_rules *rules);
/* rules: NULL = they are gone already. */
void audit_way_done(struct audit_way *way, struct audit_rules *rules);

/* The directory of a step: a view into wanted->path. */
struct bytes audit_way_path(const struct watch_object *wanted, const struct audit_step *step);
/* See what is there now. */
void audit_way_look(const struct watched_object *w, struct audit_step *step);
