/* SPDX-License-Identifier: MIT */
/*
 * Audit logs become events, as the live sensor would have emitted them: paths completed from working
 * directories and from what the log itself says of directories' inodes, actors with the launchers
 * that the log knows, users by the names that the log holds.
 *
 * A log that can be read twice is: the directory that `rm -rf` works in is named only when it is
 * removed itself, after everything in it, and then by its name in a directory that is named later still.
 */
#pragma once

#include "history/options.h"

/* Reads to the end, twice where the log can be. 0; what `event` or `progress` returned; -ENOMEM, or what reading a file says. */
int replay_run(const struct replay_options *options, struct replay_stats *ret, struct err *err);

