/* SPDX-License-Identifier: MIT */
/*
 * Which package of its own image a container's executable belongs to: dpkg, apk, and rpm's SQLite database.
 * Answers are kept for each state of such a database, so that a hundred containers of one image are one
 * question.
 */
#pragma once

#include "attribution/inside.h"
#include "foreign/foreign.h"
#include "util/sbuf.h"

struct image_packages;

/* Freed with image_packages_free(). -ENOMEM. */
int image_packages_new(struct image_packages **ret, struct err *err);
void image_packages_free(struct image_packages *p); /* NULL is fine */

/*
 * id: the container's, if it is known. place: where its files are (attribution/inside.h). -ENOENT: no package owns it, none is known there, or the answer
 * has not come yet: it is waited for 300 ms at most, and kept when it comes. A container whose files do not answer
 * in time is not waited for again for a minute. Views valid until the next call.
 */
int image_packages_find(struct image_packages *p, struct bytes id, struct bytes place, struct bytes path,
                        struct bytes *ret_package, struct bytes *ret_version);
