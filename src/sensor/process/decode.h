/* SPDX-License-Identifier: MIT */
/* The kernel side's record of a process (wire/process.h) -> a process record. */
#pragma once

#include "event/process_event.h"
#include "util/err.h"
#include "wire/process.h"

/* The record's parts; the views point into the input. */
struct process_record {
    struct wire_process fixed;
    struct bytes executable, working_directory, cgroup, input; /* names, leaf first, each ended by a NUL */
    struct bytes args, script;
};

/* Pure. -EBADMSG: not a whole record of this version. */
int process_decode(const void *data, size_t len, struct process_record *ret, struct err *err);

/* A record with everything that was captured; NULL: out of memory. */
struct process *process_from_record(const struct process_record *record);

