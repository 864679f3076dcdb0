/* SPDX-License-Identifier: MIT */
/*
 * What a change means for one watched object: where in it, and what was there before. The event is made
 * first, then the index is changed (apply.h), so that what is gone can still be described.
 */
#pragma once

#include "event/event.h"
#include "sensor/audit/meaning.h"
#include "sensor/audit/object.h"

/*
 * An event with operation, outcome, paths and file, or NULL: not here, or no memory (*ret_here says
 * which). Paths are in the terms of the object's namespace. Actor, time and id are not filled in.
 */
struct event *audit_change_event(const struct audit_object *o, const struct audit_facts *facts,
                                 const struct audit_change *change, bool *ret_here);

/* True if a file of the object is in the record, changed or not: the source of a bind mount, or what
 * a new link elsewhere leads to. */
bool audit_mentions(const struct audit_object *o, const struct audit_facts *facts);
