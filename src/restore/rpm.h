/* SPDX-License-Identifier: MIT */
/* What the worker answered that read rpm's database. */
#pragma once

#include "restore/packages.h"

struct rpm_aliases;

/* Adds to `set`, whose `more` is the answer, its packages and those of its files that are at or below `path`, by the names that they have
 * in it, or that `aliases` gives them (NULL: none). -EBADMSG, -E2BIG, -ENOMEM; also then: package_set_done() */
int rpm_read_answer(struct package_set *set, const struct rpm_aliases *aliases, struct bytes path);
