/* SPDX-License-Identifier: MIT */
/* What one event of the kernel's queue means for one object. */
#pragma once

#include "sensor/fanotify/state.h"

/* Of a name in a directory of the index, at most LIMIT_NAME bytes; the cause is o->sensor->now. */
void fanotify_on_name(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_event *e);
/* Of a directory of the index itself. */
void fanotify_on_self(struct fanotify_object *o, uint32_t directory, const struct fanotify_event *e);
