/* SPDX-License-Identifier: MIT */
/* ausearch -i: each record with its values in words. */
#pragma once

#include "search/formatter.h"

/* event: one record at least, in the order of the log. Added to `out`, the last record first as ausearch does. */
void format_interpreted(struct search_formatter *f, const struct search_event *event, struct sbuf *out);
