/* SPDX-License-Identifier: MIT */
/*
 * A container's next life, watched by what the kernel says of it before its engine does: an engine may answer late, and at a
 * start it often does. The engine's answer then completes it.
 */
#pragma once

#include "watch/state.h"

/* What the engine says of the container now; the view is taken over. */
void early_take_view(struct instance *i, struct container_view *view);

/* Watch what the container's new first process sees, if there is one that is not watched yet. Its record stays that of the life
 * before. Returns whether there was one. */
bool early_look(struct watchset *set, struct instance *i);

/* What its processes alone see was not watched since they started: a gap, if that is more than a moment. `c`: the container as it
 * runs now. To be called before early_take_view(), once `places` are watched. */
void early_report_gap(struct watchset *set, const struct instance *i, const struct container *c, const struct place *places, size_t n);

/* Frees what is known of the first process. The instance may be used again. */
void early_done(struct instance *i);
