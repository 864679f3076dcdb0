/* SPDX-License-Identifier: MIT */
/* A span in which a sensor lost events, or may have seen nothing, goes to the next stage. */
#pragma once

#include "sensor/sensor.h"

/* sensor: its enum sensor_bit. count: 0 = not known. from_real_ns: CLOCK_REALTIME; the gap reaches until now. text: copied. */
void emit_gap(const struct sensor_options *options, unsigned sensor, enum lost reason, uint64_t count, uint64_t from_real_ns,
              const char *text);
/* The same of one watched object: its path as the victim knows it, escaped, and cut in its middle to what fits, ends the text. How much
 * was lost is not known. */
void emit_object_gap(const struct sensor_options *options, unsigned sensor, enum lost reason, uint64_t from_real_ns,
                     const struct watch_object *object, const char *text);
