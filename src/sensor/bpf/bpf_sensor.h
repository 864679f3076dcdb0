/* SPDX-License-Identifier: MIT */
/* The BPF sensor: CO-RE programs on the kernel's own functions (kernel >= 5.8 with BTF). */
#pragma once

#include "sensor/sensor.h"

extern const struct sensor_ops bpf_sensor_ops;
