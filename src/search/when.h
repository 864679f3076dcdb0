/* SPDX-License-Identifier: MIT */
/*
 * -ts and -te: ausearch's words and locale dates first, with its meaning of what is left out; then
 * what culprit understands everywhere (util/parse.h): ISO 8601, "-2h".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "util/err.h"

struct search_time {
    int64_t sec;       /* CLOCK_REALTIME */
    uint64_t ms;       /* of the epoch, if the text was finer than a second; else 0 */
};

/* A word that stands for a date: now, recent, this-hour, boot, today, yesterday, this-week,
 * week-ago, this-month, this-year. */
bool search_time_is_word(const char *text);

/* `date` or `clock` may be NULL (today; midnight for a start, now for an end). `now`: seconds of
 * CLOCK_REALTIME; `uptime_s`: for "boot". -EINVAL with the reason in err. */
int search_time_parse(const char *date, const char *clock, bool is_end, time_t now, double uptime_s,
                      struct search_time *ret, struct err *err);
