/* SPDX-License-Identifier: MIT */
/*
 * The fanotify sensor (Linux 5.9 with FAN_REPORT_DFID_NAME): marks on the watched directories, and an
 * index of how everything in them last looked, from which the kernel's bare events get their meaning.
 * Sees every process and every route; knows of the actor nothing but its pid.
 */
#pragma once

#include "sensor/sensor.h"

extern const struct sensor_ops fanotify_sensor_ops;
