/* SPDX-License-Identifier: MIT */
/* Which package an executable belongs to, by the package manager's own files. */
#pragma once

#include "event/process.h"
#include "util/err.h"

struct packages;

/* root: "/" for the host's; the root directory of a container otherwise. */
int packages_new(const char *root, struct packages **ret, struct err *err);
void packages_free(struct packages *p); /* NULL is fine */

/* Waits until the lists have been read for the first time, `ms` at most: packages_find() would wait for them. */
void packages_await(struct packages *p, unsigned ms);

/* -ENOENT: no package owns it; that may take some 30 ms, until what dpkg changed is read. Answers are cached until dpkg did something;
 * views are valid until packages_free(). */
int packages_find(struct packages *p, struct bytes path, struct bytes *ret_package,
                  struct bytes *ret_version);
