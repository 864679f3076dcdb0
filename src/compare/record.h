/* SPDX-License-Identifier: MIT */
/* What differs between two moments, by the recorded changes alone: also of what is gone since. */
#pragma once

#include "compare/image.h"
#include "store/query.h"

struct record_summary {
    uint64_t changes;   /* that were recorded in between */
    uint64_t temporary; /* paths that came and went */
};

/* query: whose files, path, since and until; of a container's volume also host_path, so that what was recorded by the host's name of it,
 * or by another container's, is found, too, and has the name that is asked for. In the order of paths. -E2BIG: more paths were touched than
 * can be kept; err says so. */
int compare_record(struct store *store, const struct store_query *query, const struct compare_options *options,
                   struct record_summary *ret, struct err *err);
