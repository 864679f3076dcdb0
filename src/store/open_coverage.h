/* SPDX-License-Identifier: MIT */
/* The spans of observation that go on: sent again where the writer may not know of them. The pipeline's thread only. */
#pragma once

#include <stdint.h>

#include "event/coverage.h"
#include "util/sbuf.h"

struct open_coverage;

/* Copies `coverage` and puts it at the head of *list. -ENOMEM. */
int open_coverage_add(struct open_coverage **list, uint64_t number, const struct coverage *coverage);
/* Where the list has that number; what it refers to is NULL if it does not have it. */
struct open_coverage **open_coverage_find(struct open_coverage **list, uint64_t number);
/* One more place of it, copied. Without memory it is left out: it is in the store that is written now. */
void open_coverage_add_place(struct open_coverage *c, const struct coverage_place *place);
/* Frees the one that *at refers to, and takes it out of its list. */
void open_coverage_remove(struct open_coverage **at);
/* The messages of all of them, for a file that began at begin_ns (CLOCK_REALTIME): what began in another file goes on in this one. */
void open_coverage_send(const struct open_coverage *list, uint64_t begin_ns, struct sbuf *out);
