/* SPDX-License-Identifier: MIT */
/* What the worker answered that read rpm's database. */
#pragma once

#include "restore/packages.h"

/* Its packages and those of its files that are at or below `path`, by the names that they have in it. For fuzzing. -EBADMSG, -E2BIG, -ENOMEM;
 * also then: package_set_done() */
int rpm_read_answer(struct bytes answer, struct bytes path, struct package_set *ret);
