/* SPDX-License-Identifier: MIT */
/* Names that appeared: made, or given to what was there before. */
#pragma once

#include "sensor/fanotify/state.h"

/* A name appeared: created, made, linked, by what stands there. */
void fanotify_tell_new(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause);
