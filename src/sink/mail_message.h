/* SPDX-License-Identifier: MIT */
/* A message of RFC 5322 with MIME: a text for people, the alert as JSON attached. Pure. */
#pragma once

#include "sink/message.h"
#include "util/err.h"
#include "util/sbuf.h"

/* What may be in a header and in a command of SMTP as it is: -EINVAL with what is allowed. */
int mail_check_address(struct bytes address, struct err *err);
/* from: empty: mail_sender(). Its lines end in a newline alone. now_ns: CLOCK_REALTIME */
void mail_write(const struct sink_message *m, struct bytes from, const struct bytes *to, size_t to_count, uint64_t now_ns, struct sbuf *out);
/* "culprit@" and the host's name, of which what has no place in an address is left out. */
void mail_sender(struct bytes host, struct sbuf *out);
