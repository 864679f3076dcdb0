/* SPDX-License-Identifier: MIT */
/* What is not as it was, put back. */
#pragma once

#include "engine/view.h"
#include "restore/attributes.h"
#include "restore/item.h"
#include "store/query.h"

struct restore_options {
    bool dry_run; /* only say what would be done */
    bool force;   /* also in place of newer content */
    const struct held_files *held; /* by guards; borrowed; NULL: none is */
    uint64_t at_ns; /* as it was then, CLOCK_REALTIME; 0: as the source has it */
    struct store *store;             /* who did it; borrowed; NULL: nothing was ever recorded */
    const struct store_query *query; /* whose files, for the store */
    void *data;
    void (*notice)(void *data, const char *text); /* a part that is left out: one line for people, escaped */
};

struct restore_summary {
    uint64_t watched_since; /* CLOCK_REALTIME; 0: nobody has ever watched these files */
    uint64_t took_ns;       /* to put it back, once it was known what */
};

/*
 * From the layers of the container's image; path as in compare_image(). A container that runs is written to through its
 * first process's root, one that does not by taking away what covers the image's files in its own layer; never a layer
 * that is mounted. Each path is an item of `ret` (empty before, the caller's), with its outcome: one that fails stops nothing.
 * -ENOENT, -EOPNOTSUPP, -ETIMEDOUT as compare_image_apart(); -EBUSY: the container's layer is mounted, though it does not
 * run. foreign_start() must have been called. Signals that would end the process wait for the end of each file.
 */
int restore_image(const struct container_view *view, struct bytes path, const struct restore_options *options,
                  struct restore_items *ret, struct restore_summary *ret_summary, struct err *err);

/*
 * Deleted files at or below `path` (absolute) that processes still hold open, copied back to where they were: of a container that
 * runs, or of the host (view: NULL). Links on its way are followed as far as it exists, the last one if it leads to a directory; what is
 * deleted is below that by its names. What there is by that name now is newer, unless it has the same content: then there is nothing to
 * do. options: at_ns and held are not looked at. -EOPNOTSUPP: the container does not run, or has users of its own. Signals as above.
 */
int restore_still_open(const struct container_view *view, struct bytes path, const struct restore_options *options, struct restore_items *ret,
                       struct restore_summary *ret_summary, struct err *err);
/* How many of those have nothing in their place, and a folder to lie in; 0 also where that cannot be known. */
size_t restore_still_open_count(const struct container_view *view, struct bytes path);
