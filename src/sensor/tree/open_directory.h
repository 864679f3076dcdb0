/* SPDX-License-Identifier: MIT */
/* Opening a directory that the index knows. */
#pragma once

#include <stdint.h>

#include "sensor/tree/options.h"
#include "util/err.h"

/*
 * Open a directory of the tree by its path from `root_fd`, however long that is, following no links;
 * its identity is checked. The caller closes. -ESTALE: something else is there now.
 */
int tree_open_directory(const struct tree *t, int root_fd, uint32_t directory, struct err *err);
