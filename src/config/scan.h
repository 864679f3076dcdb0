/* SPDX-License-Identifier: MIT */
/* What is looked at before libconfuse reads the text. */
#pragma once

#include "util/bytes.h"
#include "util/err.h"

/*
 * libconfuse does not report an open quote at the end of the file, nor an open comment or watch; it counts lines wrongly
 * behind a comment of C's, replaces ${NAME} from the environment of whoever reads, finds keys by paths ("watch|key"), and passes
 * over bytes that it does not know. So that none of it happens: outside of quotes only words, = { } , and comments that
 * begin with #; inside no ${. -EINVAL: *ret_line is where it is.
 */
int config_scan(struct bytes text, unsigned *ret_line, struct err *err);
