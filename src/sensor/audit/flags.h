/* SPDX-License-Identifier: MIT */
/*
 * Flags of a file that somebody changed (chattr(1)): the record has no file, and who called may have gone with the descriptor. Which
 * file it was is found by what changed: with the record in a small tree; what that does not reach is looked at in rounds, a
 * piece each turn of the loop. Whose it was is decided a moment later (flags_whose.h), when the records of all calls that may have made
 * it have come. Bounded; one thread.
 */
#pragma once

#include <stdbool.h>

#include "sensor/audit/change.h"
#include "sensor/audit/flags_look.h"

#define AUDIT_FLAGS_EVENTS_MAX 16 /* of one change */

/* A call that changed flags says itself of which file: by a descriptor that leads to it still (is_known), which is not as it was, or
 * was found by looking. False: it is to be looked for, by what follows. */
bool audit_flags_is_certain(struct sensor *s, const struct audit_change *c, bool is_known);
/* Looks at what the call may have changed; next() returns one after the other, of nobody so far: the sensor's facts are what is known of
 * it. Each is for audit_flags_found(). */
void audit_flags_begin(struct sensor *s, struct audit_flags_search *ret);
bool audit_flags_next(struct audit_flags_search *search, struct audit_change *ret);
/* After the last one, with the facts of the call again: its file is noted in the change, or that it is not known; then the call is one of those
 * that may have made what was found. */
void audit_flags_end(struct audit_flags_search *search, struct audit_change *c, bool is_known);
/* Its records, right after that. */
void audit_flags_keep(struct sensor *s, const struct audit_group *group);

/* One piece of a round, of what no call's look reached. True: found, as above. now: without waiting for the time to begin. */
bool audit_flags_find(struct sensor *s, bool now, struct audit_flags_search *ret_search, struct audit_change *ret);

/* Keeps its events, AUDIT_FLAGS_EVENTS_MAX at most, until it is decided whose they are. False: there is no room; they are the caller's, and nobody's. */
bool audit_flags_found(struct audit_flags_search *search, const struct audit_change *c, struct event **events, unsigned count);
/* All that is in the stream has been read: the next one that is decided. The events are the caller's, ret has room for AUDIT_FLAGS_EVENTS_MAX; the
 * sensor's facts are those of its call, or what is known of it, until the next call of this. now: without waiting for records that may come. */
bool audit_flags_take(struct sensor *s, bool now, struct event **ret, unsigned *ret_count, enum audit_match *ret_match);
/* Frees what waits. */
void audit_flags_done(struct sensor *s);
