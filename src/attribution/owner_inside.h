/* SPDX-License-Identifier: MIT */
/*
 * Which package of its own image a container's executable belongs to: dpkg, apk, and rpm's SQLite database.
 * Answers are kept for each state of such a database, so that a hundred containers of one image are one
 * question.
 */
#pragma once

#include "attribution/inside.h"

struct image_packages;

int image_packages_new(struct image_packages **ret, struct err *err);
void image_packages_free(struct image_packages *p); /* NULL is fine */

/* -ENOENT: no package owns it, or none is known there. Views valid until the next call. */
int image_packages_find(struct image_packages *p, const struct inside *in, struct bytes path,
                        struct bytes *ret_package, struct bytes *ret_version);

/* Pure: rpm's header of a package. True if it has the file; name and version go into the buffers. */
bool rpm_header_has(struct bytes header, struct bytes path, struct sbuf *name, struct sbuf *version);
