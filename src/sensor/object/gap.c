/* SPDX-License-Identifier: MIT */
#include "sensor/object/gap.h"

#include <stdio.h>
#include <time.h>

#include "util/clock.h"

void emit_gap(const struct sensor_options *options, unsigned sensor, enum lost reason, uint64_t count, uint64_t from_real_ns,
              const char *text)
{
    struct gap gap = { .reason = reason,
                       .count = count,
                       .from_ns = from_real_ns,
                       .to_ns = clock_ns(CLOCK_REALTIME),
                       .sensor = sensor };

    snprintf(gap.text, sizeof(gap.text), "%s", text);
    options->sink.gap(options->sink.data, &gap);
}
