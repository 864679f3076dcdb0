/* SPDX-License-Identifier: MIT */
/* Two files side by side. */
#pragma once

#include "compare/options.h"
#include "engine/layers.h"

/* Hands out what differs between `was` and `is` (NULL: nothing is there) of one path. changed_ns: for
 * what is gone. Not what lies below directories. */
int compare_entries(const struct compare_options *options, struct bytes path, struct bytes host_path,
                    const struct layer_entry *was, const struct layer_entry *is, uint64_t changed_ns,
                    struct err *err);
