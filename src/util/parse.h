/* SPDX-License-Identifier: MIT */
/* Numbers, durations and times as people write them. The whole input must fit, or it is refused. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "util/bytes.h"
#include "util/err.h"

/* Decimal (base 10), hexadecimal without prefix (16) or octal (8). -EINVAL: not a number, empty or
 * trailing bytes; -ERANGE: too large. */
int parse_u64(struct bytes text, unsigned base, uint64_t *ret);
int parse_u32(struct bytes text, unsigned base, uint32_t *ret);
int parse_i64(struct bytes text, int64_t *ret);

/* `90s`, `15m`, `2h`, `7d`, `500ms`, `1h30m`; a bare number is refused (which unit?). Nanoseconds. */
int parse_duration(const char *text, uint64_t *ret_ns, struct err *err);

/* RFC 3339 (`2026-11-16T03:12:00Z`, offset or local time without one, date alone), `HH:MM[:SS]`
 * today, `now`, `today`, `yesterday`, a relative `-2h`, a bare duration `7d` (so long ago), and
 * ausearch's words (recent, this-hour, this-week, week-ago, this-month, this-year, boot).
 * now_ns: CLOCK_REALTIME in ns; the result likewise. */
int parse_time(const char *text, uint64_t now_ns, uint64_t *ret_ns, struct err *err);

/* A fraction of a second, ".123456789", at *at, which is moved behind it; nanoseconds, digits after the ninth are ignored. No point
 * there: 0. false: a point without a digit. */
bool parse_fraction(const char **at, uint64_t *ret_ns);

/* `64M`, `1G`, `4096`: bytes. */
int parse_size(const char *text, uint64_t *ret, struct err *err);
