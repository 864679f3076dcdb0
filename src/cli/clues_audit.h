/* SPDX-License-Identifier: MIT */
/* What the host's audit logs say of a target, for `clues`: somebody's rules may have had it. */
#pragma once

#include "clues/clues.h"
#include "watch/target.h"

/* Fills the options' audit texts, which live as long as `arena`. Logs that are too long for the time that `clues` has are only named. */
void clues_audit(struct target *target, struct clues_options *options, struct arena *arena);
