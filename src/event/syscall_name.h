/* SPDX-License-Identifier: MIT */
/*
 * Names of system calls: libaudit's, and those that are newer than the libaudit of the machine. From 424 on a call has the
 * same number on every architecture (Documentation/process/adding-syscalls.rst of the kernel), so one table will do.
 */
#pragma once

struct event;

/* machine: MACH_* of libaudit.h. -1: no such call there. */
int audit_call_number_by_name(const char *name, int machine);
/* NULL: none that is known. */
const char *audit_call_name_by_number(int number, int machine);
/* The call by which the event came, e.g. "unlinkat". NULL: not known, or not of which architecture. */
const char *event_call_name(const struct event *e);
