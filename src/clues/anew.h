/* SPDX-License-Identifier: MIT */
/* What of a container begins anew, and when: what was there before is gone with that. Pure. */
#pragma once

#include "engine/view.h"

enum lasting_place {
    PLACE_LAYER,
    PLACE_TMPFS,
    PLACE_NAMELESS, /* a volume whose name nobody gave */
    PLACE_LASTING,  /* outlives the container */
};

/* How long what lies at that path of the container lasts. Pure. */
enum lasting_place anew_place(const struct container_view *view, struct bytes path);
/* The container's own layer, and a volume without a name, with the container; a tmpfs with its start. CLOCK_REALTIME; 0: a named volume or a
 * directory of the host did not. */
uint64_t anew_ns(const struct container_view *view, struct bytes path);
