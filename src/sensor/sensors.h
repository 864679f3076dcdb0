/* SPDX-License-Identifier: MIT */
/* The table of sensors, and what each capability means in words. */
#pragma once

#include "sensor/sensor.h"

/* The table: a new sensor is a file and a row in sensors.c. NULL-terminated. */
extern const struct sensor_ops *const sensors[];

/* By the word of --sensor; NULL: there is none. */
const struct sensor_ops *sensor_by_name(const char *name);
/* What culprits that were killed left of any sensor is undone. Adds to `said` what it was: "4 audit rules, auditing
 * switched on". state_dir: NULL = the usual one. */
void sensors_recover(const char *state_dir, const struct log *log, struct sbuf *said);

/* The names and words of the capabilities, for doctor and tests; NULL past the end. */
struct capability_info {
    uint64_t bit;
    const char *name;  /* "old-processes" */
    const char *lack;  /* "processes that ran before auditing was first enabled are not seen" */
};
const struct capability_info *capability_info(unsigned index);
