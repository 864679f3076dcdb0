/* SPDX-License-Identifier: MIT */
/* Bytes compressed by zstd, with its checksum: a number that has become another one would read as well. */
#pragma once

#include "util/sbuf.h"

/* Appends `data` compressed. -ENOMEM. */
int frame_add(struct bytes data, struct sbuf *out);
/* Appends the `size` bytes that it was; the caller bounds them. -EBADMSG: it is not that; -ENOMEM. */
int frame_take(struct bytes frame, size_t size, struct sbuf *out);
