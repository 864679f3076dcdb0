/* SPDX-License-Identifier: MIT */
/* A container or a volume that is gone, by what its engine still remembers of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/bytes.h"

struct engines;

struct removed_thing {
    uint64_t ns;       /* CLOCK_REALTIME; 0: nothing is known */
    struct bytes text; /* "container web (shop:1.4) was removed ...", of foreign bytes */
};

/* runtime: empty, any. -ENOENT: no engine remembers that one of this name was removed. */
int removed_find(struct engines *engines, struct bytes runtime, bool volume, struct bytes name, struct arena *arena, struct removed_thing *ret);

/* A JSON object of the engine's: if it is a removal of this one, later than *ret, that is taken. Pure. */
void removed_event(struct bytes line, bool volume, struct bytes name, struct arena *arena, struct removed_thing *ret);
