/* SPDX-License-Identifier: MIT */
/* Which package an executable belongs to, by the package manager's own files. */
#pragma once

#include "event/process.h"
#include "util/err.h"

struct packages;

/* root: "/" for the host's; the root directory of a container otherwise. */
int packages_new(const char *root, struct packages **ret, struct err *err);
void packages_free(struct packages *p); /* NULL is fine */

/* -ENOENT: no package owns it. Answers are cached; views valid until packages_free(). */
int packages_find(struct packages *p, struct bytes path, struct bytes *ret_package,
                  struct bytes *ret_version);
