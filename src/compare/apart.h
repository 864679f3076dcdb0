/* SPDX-License-Identifier: MIT */
/* compare_image() by a process of its own: a layer on a file system that never answers costs the comparison only. */
#pragma once

#include "compare/image.h"

/* As compare_image(), with its arguments. -ETIMEDOUT: nothing was read for ten seconds, err says so; differences may
 * have been handed out before. foreign_start() must have been called. */
int compare_image_apart(const struct container_view *view, struct bytes path, const struct compare_options *options,
                        struct arena *arena, struct bytes *ret_path, struct err *err);
