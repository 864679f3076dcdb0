/* SPDX-License-Identifier: MIT */
/*
 * Reading a value of a bbolt database (Podman before 5.0, containerd): a file of pages, B+ trees of
 * keys, buckets within buckets. Pure: any input is safe. The file is never locked: writers copy pages
 * before they change them, so what a reader finds is old or new.
 */
#pragma once

#include "util/bytes.h"

/*
 * The value at the end of `path`: names of buckets, then a key. A view into `file`.
 * -ENOENT: there is no such key; -EBADMSG: it is no such database, or damaged.
 */
int bolt_get(struct bytes file, const struct bytes *path, size_t count, struct bytes *ret);
