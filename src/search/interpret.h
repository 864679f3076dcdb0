/* SPDX-License-Identifier: MIT */
/* ausearch -i: each record with its values in words. */
#pragma once

#include "search/formatter.h"

void format_interpreted(struct search_formatter *f, const struct search_event *event, struct sbuf *out);
