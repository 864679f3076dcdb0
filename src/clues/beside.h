/* SPDX-License-Identifier: MIT */
/* A name beside what is gone. Pure. */
#pragma once

#include "clues/fact.h"

/* path: what is gone; name: of its directory; changed_ns: the last change of that, which may have been the rename;
 * directory_ns: that of the directory's names. */
void beside_name(struct sbuf *answer, struct bytes path, struct bytes name, uint64_t changed_ns, uint64_t directory_ns);
