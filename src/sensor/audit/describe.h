/* SPDX-License-Identifier: MIT */
/* What an event has from the facts of its record, whoever read it: the live sensor or a log. */
#pragma once

#include <stdint.h>

#include "event/event.h"
#include "sensor/audit/facts.h"
#include "util/bytes.h"

/* The same record read twice, live or from a log, is the same event. host: may be empty; `index`: which of its
 * changes. */
void audit_event_id(struct bytes host, uint64_t time_ms, uint64_t serial, unsigned index, uint8_t ret[16]);

/* When (event->time_ns), by which call, and who. */
void audit_describe(const struct audit_facts *facts, struct event *event);
