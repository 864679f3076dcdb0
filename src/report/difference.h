/* SPDX-License-Identifier: MIT */
/* Differences as they come: text with long runs folded, or one JSON object each; then what they come to. */
#pragma once

#include "event/difference.h"
#include "report/difference_options.h"
#include "util/sbuf.h"

struct difference_page;

/* The options' texts, container and host are borrowed until difference_page_free(). NULL: out of memory. */
struct difference_page *difference_page_new(const struct difference_page_options *options);
void difference_page_free(struct difference_page *p);

/* One more; what can be printed at once is appended to `out`, equal neighbours are counted and printed later. 0 or -ENOMEM. */
int difference_page_add(struct difference_page *p, const struct difference *d, struct sbuf *out);
/* How many were added. */
uint64_t difference_page_count(const struct difference_page *p);

/* The last lines: how many, by whom. */
void difference_page_end(struct difference_page *p, const struct difference_end *end, struct sbuf *out);
