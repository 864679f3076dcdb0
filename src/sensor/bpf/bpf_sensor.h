/* SPDX-License-Identifier: MIT */
/* The BPF sensor: CO-RE programs on the kernel's own functions (kernel >= 5.8 with BTF). */
#pragma once

#include "sensor/bpf/guard_programs.h"
#include "sensor/sensor.h"

extern const struct sensor_ops bpf_sensor_ops;

/* Loads its programs with those that refuse changes, for the open() that follows; nothing is refused yet (guarding.h). nobody_may: nobody
 * will be allowed anything, so that what everybody's changes pay for can be less. -EPERM, -ENOTSUP: the kernel does not let us, err says
 * why. */
int bpf_sensor_load(enum guard_kind kind, bool nobody_may, struct err *err);
