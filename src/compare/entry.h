/* SPDX-License-Identifier: MIT */
/* Two files side by side. */
#pragma once

#include "compare/options.h"
#include "engine/layers.h"

/* How and when something went: CLOCK_REALTIME, 0 = unknown. */
struct deletion {
    uint64_t not_before_ns, not_after_ns;
    enum deleted_by by;
};

/* Hands out what differs between `was` and `is` (NULL: nothing is there) of one path. gone: for what is not there any
 * more. Not what lies below directories. */
int compare_entries(const struct compare_options *options, struct bytes path, struct bytes host_path,
                    const struct layer_entry *was, const struct layer_entry *is, const struct deletion *gone,
                    struct err *err);
