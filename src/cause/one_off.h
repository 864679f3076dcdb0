/* SPDX-License-Identifier: MIT */
/* Containers that are made for one run: their name is another one each time, what they are is said by their image. Pure. */
#pragma once

#include <stdbool.h>

#include "event/container.h"

/* Is its name one that was made up for it? client: the arguments of what had it started, each ended by a NUL; empty: not known, and
 * the name itself says. False where no image is known that could be named instead. */
bool one_off_container(const struct container *c, struct bytes client);

/* "shop" of "registry:5000/shop:1.4@sha256:...": what stays as it is when the image is built anew. A view. */
struct bytes one_off_image_name(struct bytes image);
