/* SPDX-License-Identifier: MIT */
/* Is a content the one that a package's manager has on record? */
#pragma once

#include "restore/packages.h"

/* False also where its kind is none, or not computed here. */
bool package_digest_is(struct bytes content, const struct package_sum *sum);
/* Is it all that is on record, of what a package's file has? mode: with its type. content: of a regular file; link: of a symbolic one. */
bool package_sum_fits(const struct package_sum *sum, uint32_t mode, struct bytes content, struct bytes link);
/* package_digest_is() of a file. path_fd: O_PATH. 1, 0; -errno: it cannot be read; -EOPNOTSUPP: the kind. */
int package_digest_is_of(int path_fd, const struct package_sum *sum);
