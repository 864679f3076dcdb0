/* SPDX-License-Identifier: MIT */
/* A message of RFC 5424, with its length before it. Pure. */
#pragma once

#include "sink/message.h"
#include "util/sbuf.h"

/* now_ns: CLOCK_REALTIME */
void sink_syslog_message(const struct sink_message *m, uint64_t now_ns, struct sbuf *out);
