/* SPDX-License-Identifier: MIT */
/* What is in two files. */
#pragma once

#include <sys/types.h>

/* Two files of that size that are open for reading: 1: their content differs, 0: it is the same. Holes of both are passed over.
 * alive: called for each piece; may be NULL. -ENOMEM, or as read(2). */
int content_differs(int a, int b, off_t size, void (*alive)(void *data), void *data);
