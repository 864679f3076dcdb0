/* SPDX-License-Identifier: MIT */
/* A difference as one line of text: what differs, how, and who was recorded making it so. */
#pragma once

#include "event/difference.h"
#include "report/difference_options.h"
#include "util/sbuf.h"

#define DIFFERENCE_KIND_WIDTH 10 /* columns of "missing", "added" ... */

/* With its newline, escaped for a terminal, cut to the options' columns. */
void difference_write_line(const struct difference_page_options *o, const struct difference *d, struct sbuf *out);
/* Local time, with the date unless it is today. time_ns: CLOCK_REALTIME. */
void difference_add_time(struct sbuf *out, uint64_t time_ns);
