/* SPDX-License-Identifier: MIT */
/*
 * Exchanging what is watched while it is watched. What stays is not touched; what is new is armed before what goes is
 * given up. For a while both are armed: until one moment the old ones emit what they have in common, from it on the new
 * ones do, by the event's own time, so that nothing is emitted by neither of them, or by both.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "watch/plan.h"

struct watchset;

struct watchset_difference {
    size_t added, ended, kept;
    size_t failed_ask; /* of a failure: whose watch it was; SIZE_MAX: nobody's */
};

/*
 * Makes the watches those of the plan, which is emptied. A failure of one that is new: -errno, ret->failed_ask, and
 * everything is as it was. -EBUSY: something would be given
 * up, and the last change is not over yet; what only comes is taken at any time.
 */
int watchset_change(struct watchset *set, struct plan *plan, struct watchset_difference *ret, struct err *err);
/* What was given up is still armed. */
bool watchset_is_changing(const struct watchset *set);
/* Where events never stop: so new a one was read (CLOCK_REALTIME) that those of what was given up have been read too. */
bool watchset_change_is_read(const struct watchset *set, uint64_t newest_ns);
/* To be called about once a second, where nothing is waiting to be read, or all that matters was: gives up what has ended long enough ago. */
void watchset_change_finish(struct watchset *set);
