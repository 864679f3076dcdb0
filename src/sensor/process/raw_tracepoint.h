/* SPDX-License-Identifier: MIT */
/*
 * Raw tracepoints on fork, exec, exit, renaming and moves between cgroups: everything about a process is captured in the
 * kernel at that moment, so that one that is gone a microsecond later has its name. Needs BTF, CAP_BPF and CAP_PERFMON (or
 * root), a ring buffer (5.8). No tracepoint reports changed credentials: these come by the process connector, where it
 * works.
 */
#pragma once

#include "sensor/process/tracker_ops.h"

extern const struct tracker_ops raw_tracepoint_tracker_ops;
