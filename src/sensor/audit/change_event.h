/* SPDX-License-Identifier: MIT */
/*
 * What a change means for one watched object: where in it, and what stood there before. Told first,
 * then applied to the index, so that what is gone can still be described.
 */
#pragma once

#include <limits.h>

#include "event/event.h"
#include "sensor/audit/meaning.h"
#include "sensor/audit/object.h"

/*
 * An event with operation, outcome, paths and file, or NULL: not here, or no memory (*ret_here says
 * which). Paths are in the terms of the object's namespace. Actor, time and id are not filled in.
 */
struct event *audit_tell(const struct audit_object *o, const struct audit_facts *facts,
                         const struct audit_change *change, bool *ret_here);


/* True if a file of the object stands in the record, changed or not: the source of a bind mount, or what
 * a new link elsewhere leads to. */
bool audit_mentions(const struct audit_object *o, const struct audit_facts *facts);

/* Note in the index what the changes of one record did. */
void audit_apply(struct audit_object *o, const struct audit_facts *facts,
                 const struct audit_change *changes, unsigned count);
