/* SPDX-License-Identifier: MIT */
/* A name beside what is gone, or was replaced. Pure. */
#pragma once

#include <stdbool.h>

#include "clues/fact.h"

/* path: what is asked for; name: of its directory; changed_ns: the last change of that, which may have been the rename; there: something
 * is at the path; then_ns: when that changed last, else the names of the directory. */
void beside_name(struct sbuf *answer, struct bytes path, struct bytes name, uint64_t changed_ns, bool there, uint64_t then_ns);
