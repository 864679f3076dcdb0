/* SPDX-License-Identifier: MIT */
/* OCSF encoding of events: File System Activity (class 1001, version 1.3 of the schema), one JSON object a
 * line. Pure. What OCSF calls `file` is the file before, `file_result` the file after. */
#pragma once

#include "event/event.h"
#include "util/sbuf.h"

#define OCSF_VERSION "1.3.0"

/* host: BYTES_NULL = not known. */
void ocsf_write_event(struct sbuf *out, const struct event *event, struct bytes host);
