/* SPDX-License-Identifier: MIT */
/* The audit sensor: rules in the kernel, its records read live. */
#pragma once

#include "sensor/sensor.h"

extern const struct sensor_ops audit_sensor_ops;
