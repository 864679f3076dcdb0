/* SPDX-License-Identifier: MIT */
/* The difference of two texts, by diff(1): in a process of nobody's, without capabilities, bounded in memory and time. */
#pragma once

#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"

/*
 * What "diff -u" prints without its two first lines is appended, `max` bytes at most. Any bytes: the caller escapes them. 0: also where nothing differs;
 * -ENOENT: there is no diff(1) here; -EFBIG: it would be longer; -ETIMEDOUT; -EBADMSG: it failed.
 */
int unified_diff(struct bytes before, struct bytes after, size_t max, struct sbuf *out, struct err *err);
