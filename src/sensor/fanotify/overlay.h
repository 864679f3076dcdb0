/* SPDX-License-Identifier: MIT */
/* An upper layer's names in terms of what its container sees. */
#pragma once

#include "sensor/fanotify/appear.h"
#include "sensor/fanotify/state.h"

/* A name appeared in an upper layer, or was replaced there. before: what was there in this layer; birth: as for
 * fanotify_emit_new(). */
void fanotify_upper_appeared(struct fanotify_object *o, uint32_t directory, struct bytes name,
                             const struct file_state *before, const struct fanotify_birth *birth, const struct fanotify_cause *cause);
void fanotify_upper_gone(struct fanotify_object *o, uint32_t directory, struct bytes name);
