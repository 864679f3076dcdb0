/* SPDX-License-Identifier: MIT */
/* Times and the identity of a process in ECS. Pure; each appends to `out`. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "util/digits.h"
#include "util/sbuf.h"

/* 0 to 999999, always six digits, no NUL. */
static inline void ecs_put_six_digits(char *to, uint32_t value)
{
    put_two_digits(to, value / 10000);
    put_two_digits(to + 2, value / 100 % 100);
    put_two_digits(to + 4, value % 100);
}

/* "2026-11-16T03:12:00.123456789Z" with quotes; time_ns: CLOCK_REALTIME. */
void ecs_write_time(struct sbuf *out, uint64_t time_ns);
/* process.entity_id: the same for (boot, pid, start), whichever source dated the start. 22 hex digits into `out`.
 * start_ns: CLOCK_BOOTTIME */
void ecs_write_entity_id(struct sbuf *out, pid_t pid, uint64_t start_ns);
