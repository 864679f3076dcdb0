/* SPDX-License-Identifier: MIT */
/* Names that appeared: made, or given to what was there before. */
#pragma once

#include "sensor/fanotify/state.h"

/* What a look and the event's handle say of how a name came. */
struct fanotify_birth {
    uint64_t born_real_ns; /* of its file, CLOCK_REALTIME; 0 = not known: the name is asked */
    bool linked;           /* its file had another name before */
};

/* A name appeared: created, made, linked, by what is there. birth: NULL = nothing more is known. */
void fanotify_emit_new(struct fanotify_object *o, uint32_t name, const struct fanotify_birth *birth, const struct fanotify_cause *cause);
