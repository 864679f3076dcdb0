/* SPDX-License-Identifier: MIT */
/* A group of records becomes events. */
#pragma once

#include "sensor/audit/audit_state.h"

/* A group of the stream: emits its changes. `data`: the sensor. */
void audit_handle_group(void *data, const struct audit_group *group);
/* All that is in the stream has been read: one more look for flags that were changed, and what is decided of those that were found. */
void audit_handle_flags(struct sensor *s);
/* All of them, without waiting for records: looks at the trees. False: that time (CLOCK_MONOTONIC) came first. */
bool audit_handle_flags_until(struct sensor *s, uint64_t until_ms);
/* What was kept while a container started, once more for the objects that are there since. */
void audit_handle_startup(struct sensor *s);
