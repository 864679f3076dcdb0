/* SPDX-License-Identifier: MIT */
/* What the records say of the directories above a watched path (way.h). */
#pragma once

#include "event/event.h"
#include "sensor/audit/meaning.h"

struct audit_object;

/* The event of a change that is one of the way, or NULL: it is none, or (*ret_here) there is no memory. Only operation, outcome and
 * paths are filled in. */
struct event *audit_way_event(const struct audit_object *o, const struct audit_facts *facts, const struct audit_change *change,
                              bool *ret_here);
/* The directory that holds the path, by what the records said of it. */
bool audit_way_is_parent(const struct audit_object *o, const struct audit_path *p);
/* What a change did to the way: which directories it leads through now, and whether the path is to be looked at again. */
void audit_way_apply(struct audit_object *o, const struct audit_facts *facts, const struct audit_change *change);
