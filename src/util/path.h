/* SPDX-License-Identifier: MIT */
/* Paths as texts: what links there are is not known. Pure. */
#pragma once

#include "util/bytes.h"

/* `name` below `dir`, absolute, without ".", ".." and empty components: in `to`, not ended by a NUL. Each may be BYTES_NULL; size is
 * at least 1. BYTES_NULL: it does not fit. */
struct bytes path_join(struct bytes dir, struct bytes name, char *to, size_t size);
