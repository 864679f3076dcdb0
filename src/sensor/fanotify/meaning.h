/* SPDX-License-Identifier: MIT */
/* What one event of the kernel's queue means for one object. */
#pragma once

#include "sensor/fanotify/state.h"

/* Of a name in a directory of the index, at most LIMIT_NAME bytes. */
void fanotify_on_name(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_event *e,
                      const struct fanotify_cause *now);
/* Of a directory of the index itself. */
void fanotify_on_self(struct fanotify_object *o, uint32_t directory, const struct fanotify_event *e,
                      const struct fanotify_cause *now);
