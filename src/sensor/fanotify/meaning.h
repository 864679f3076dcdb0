/* SPDX-License-Identifier: MIT */
/* What one event of the kernel's queue means for each object that its directory belongs to. */
#pragma once

#include "sensor/fanotify/state.h"

void fanotify_handle_event(struct sensor *s, const struct fanotify_event *e);
void fanotify_moved_flush(struct sensor *s); /* a half that found no other */
/* Look at a name and note in the index what stands there now. */
int fanotify_look(struct fanotify_object *o, uint32_t directory, struct bytes name, struct tree_change *ret);
