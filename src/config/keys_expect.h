/* SPDX-License-Identifier: MIT */
/* What values of expect blocks, of `expected` and of `redact` may be. */
#pragma once

#include "util/bytes.h"
#include "util/err.h"

/* One value each: -EINVAL with what is wrong and what is allowed. */
int check_expected(struct bytes value, struct err *err);
int check_redact(struct bytes value, struct err *err);
int check_pattern(struct bytes value, struct err *err);
int check_hours(struct bytes value, struct err *err);
int check_operations(struct bytes value, struct err *err);
