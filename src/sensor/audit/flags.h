/* SPDX-License-Identifier: MIT */
/*
 * Flags of a file that somebody changed (chattr(1)): the record has no file, and who called may have gone with the descriptor. Which
 * file it was is found by what changed: with the record in a small tree; what that does not reach is looked at in rounds, a
 * piece each turn of the loop. Bounded; one thread.
 */
#pragma once

#include <stdbool.h>

#include "sensor/audit/audit_state.h"
#include "sensor/audit/change.h"

/* A call that changed flags: is_known: its descriptor says of which file. Else, or where that is in doubt, looks for it, and
 * notes file and match in the change; what is found is noted in the index, too. */
void audit_flags_complete(struct sensor *s, struct audit_change *c, bool is_known);
/* Its records, right after that: kept if the search is not over. */
void audit_flags_keep(struct sensor *s, const struct audit_group *group);

/* One piece, of what no record led to so far. All that is in the stream has been read. True: found; the sensor's facts are those of
 * its call, or what is known of it. now: without waiting for records that may come. */
bool audit_flags_find(struct sensor *s, struct audit_change *ret, bool now);
