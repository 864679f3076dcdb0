/* SPDX-License-Identifier: MIT */
/* Lines that are as wide as a terminal: broken at blanks, by what characters take there. */
#pragma once

#include <stddef.h>

#include "util/sbuf.h"

/* Ends the line that `out` has from there on, which is escaped: no longer than `columns`, as far as its words are not, what goes on begins with
 * `indent` blanks. columns: 0, or no more than twice the indent: it stays whole. */
void wrap_line(struct sbuf *out, size_t from, unsigned columns, unsigned indent);
