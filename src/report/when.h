/* SPDX-License-Identifier: MIT */
/* Times and patterns of times in words. */
#pragma once

#include <time.h>

#include "report/case_state.h"

/* A time (ns, CLOCK_REALTIME) as this machine's clocks show it; tm_gmtoff is its offset to UTC in seconds. Any thread. */
struct tm when_local(uint64_t time_ns);
/* Are these times of when_local() of one day? Pure. */
bool when_is_same_day(const struct tm *a, const struct tm *b);
/* "03:08:01", with the day where it is not today; `with_ms` to the millisecond. */
void when_time(uint64_t time_ns, bool with_ms, struct sbuf *out);
/* "at 03:08:01", "from 03:08:01 to 03:09:00 on Fri 27 Nov". */
void when_range(uint64_t first_ns, uint64_t last_ns, bool with_ms, struct sbuf *out);
/* ", 1.1 s after web started": the end of the sentence, of tallies from first to last. */
void when_sentence(const struct case_ *c, const struct culprit *s, const struct tally *const *said, size_t count,
                   struct sbuf *out);
/* "6 times, about every minute", "after each of web's last 5 starts, ..."; nothing if there is no pattern. */
void when_pattern(const struct case_ *c, const struct culprit *s, struct sbuf *out);
bool when_has_rhythm(const struct culprit *s);
