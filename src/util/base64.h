/* SPDX-License-Identifier: MIT */
/* RFC 4648, with padding. */
#pragma once

#include "util/bytes.h"
#include "util/sbuf.h"

/* Appends. */
void base64_write(struct sbuf *out, struct bytes data);
/* Appends the bytes; nothing on failure. -EBADMSG: it is none. */
int base64_read(struct bytes text, struct sbuf *out);
