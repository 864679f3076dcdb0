/* SPDX-License-Identifier: MIT */
/* A path of the host that lies on an overlay: the same place in the overlay's layers, by which its files can be reached too. */
#pragma once

#include <stddef.h>

#include "util/arena.h"
#include "util/bytes.h"
#include "util/err.h"

/*
 * Appends the places, the writable layer's first, to ret, which has room for `size`; a lower layer that has nothing there is left
 * out. Returns how many, 0: it is no overlay. -ESTALE: a layer cannot be found from here; -E2BIG; -errno.
 */
int guard_overlay_layers(struct bytes path, struct arena *arena, struct bytes *ret, size_t size, struct err *err);
