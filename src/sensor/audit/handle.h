/* SPDX-License-Identifier: MIT */
/* A group of records becomes events. */
#pragma once

#include "sensor/audit/audit_state.h"

/* A group of the stream: emits its changes. `data`: the sensor. */
void audit_handle_group(void *data, const struct audit_group *group);
/* What was kept while a container started, once more for the objects that are there since. */
void audit_handle_startup(struct sensor *s);
