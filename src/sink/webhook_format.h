/* SPDX-License-Identifier: MIT */
/* Bodies of webhooks, by their format. Pure. */
#pragma once

#include "sink/message.h"
#include "util/sbuf.h"

/* format: of sink_format(), empty: the first. secret: goes into the body of those that want it there. now_ns: CLOCK_REALTIME. */
void webhook_body(struct bytes format, const struct sink_message *m, struct bytes secret, uint64_t now_ns, struct sbuf *out);
/* The secret belongs into a header (Authorization: Bearer), not into the body. */
bool webhook_secret_is_header(struct bytes format);
/* "https://hooks.example:8443/..." of a URL, for people: its path, or its user, may be the secret itself (Slack's is). */
void webhook_shown_url(const char *url, struct sbuf *out);
