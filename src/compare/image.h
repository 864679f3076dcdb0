/* SPDX-License-Identifier: MIT */
/* What of a container's tree is not as its image made it, found on the disk: also if it is down. */
#pragma once

#include "compare/options.h"
#include "engine/view.h"
#include "event/difference.h"
#include "util/err.h"

/*
 * path: absolute and normalised, in the container's view; links of the container are followed. In the
 * order of paths, a directory's entries before what is below them. Volumes at or below the path are
 * compared with what the image has at their place, which is what an engine fills a new one with.
 * ret_path: what it led to, in `arena`.
 * -ENOENT: neither the container nor its image has anything there; -EOPNOTSUPP: there is nothing to
 * compare with (no layers of an image, a directory of the host mounted there), err says what.
 */
int compare_image(const struct container_view *view, struct bytes path,
                  const struct compare_options *options, struct arena *arena, struct bytes *ret_path,
                  struct err *err);
