/* SPDX-License-Identifier: MIT */
/* An alert as one line in a container's log. Pure. */
#pragma once

#include "sink/message.h"
#include "util/sbuf.h"

/* PIPE_BUF bytes at most, with its newline. */
void sink_container_line(const struct sink_message *m, struct sbuf *out);
