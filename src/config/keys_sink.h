/* SPDX-License-Identifier: MIT */
/* What values of sinks may be. */
#pragma once

#include "util/bytes.h"
#include "util/err.h"

#define SINKS_MAX 16 /* a process each */
#define SINK_TIMEOUT_NS (10 * NS_PER_S)
#define SINK_SIZE (10ull << 20)

/* One value each: -EINVAL with what is wrong and what is allowed. */
int check_sink_type(struct bytes value, struct err *err);
int check_sink_to(struct bytes value, struct err *err);
int check_sink_format(struct bytes value, struct err *err);
int check_sink_timeout(struct bytes value, struct err *err);
int check_sink_severity(struct bytes value, struct err *err);
int check_sink_server(struct bytes value, struct err *err);
int check_sink_address(struct bytes value, struct err *err);
int check_sink_size(struct bytes value, struct err *err);
