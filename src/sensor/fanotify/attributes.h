/* SPDX-License-Identifier: MIT */
/* Attributes: what of them changed, as far as that is known. */
#pragma once

#include "sensor/fanotify/state.h"

/* An event says that they changed. change: how the file was known, and how it is now. */
void fanotify_attributes(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_event *e,
                         const struct tree_change *change, const struct fanotify_cause *now);
void fanotify_made_with_attributes(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct tree_change *change,
                                  const struct fanotify_cause *now);
/* Every difference of the two states of an object that is one of attributes. Returns how many. */
unsigned fanotify_emit_attributes(struct fanotify_object *o, uint32_t directory, struct bytes name,
                                  const struct tree_change *change, const struct fanotify_cause *cause);
/* The time of modification was set, not made by writing: it is older than the last change, or in the future. */
bool fanotify_set_times(const struct tree_change *change, const struct fanotify_cause *cause);
/* Both times are those of the last change: set to the moment's, if it was not written to and read in between. */
bool fanotify_touched(const struct tree_change *change);
void fanotify_emit_unexplained(struct fanotify_object *o, const struct tree_change *c,
                               const struct fanotify_cause *cause);
