/* SPDX-License-Identifier: MIT */
#include "event/ecs_time.h"

#include "util/clock.h"

#define DAY_S 86400

static void put_hex(char *to, unsigned count, uint64_t value)
{
    while (count-- > 0) {
        to[count] = "0123456789abcdef"[value & 0xf];
        value >>= 4;
    }
}

/*
 * The date of a day since 1970, as 2026-11-16. Years are counted from March, so that a leap day is a year's last and
 * the months before it have lengths that repeat: 153 days for each five. 400 years have 146097 days.
 */
static void put_date(char *to, uint32_t day)
{
    uint32_t since_0000 = day + 719468, era = since_0000 / 146097, of_era = since_0000 % 146097;
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * of_year + 2) / 153; /* 0: March */

    year += era * 400 + (month >= 10);
    put_two_digits(to, year / 100);
    put_two_digits(to + 2, year % 100);
    put_two_digits(to + 5, month < 10 ? month + 3 : month - 9);
    put_two_digits(to + 8, of_year - (153 * month + 2) / 5 + 1);
}

void ecs_write_time(struct sbuf *out, uint64_t time_ns)
{
    uint64_t s = time_ns / NS_PER_S;
    uint32_t of_day = (uint32_t)(s % DAY_S), ns = (uint32_t)(time_ns % NS_PER_S);
    char text[] = "\"0000-00-00T00:00:00.000000000Z\"";

    put_date(text + 1, (uint32_t)(s / DAY_S));
    put_two_digits(text + 12, of_day / 3600);
    put_two_digits(text + 15, of_day / 60 % 60);
    put_two_digits(text + 18, of_day % 60);
    text[21] = (char)('0' + ns / 100000000);
    put_two_digits(text + 22, ns / 1000000 % 100);
    ecs_put_six_digits(text + 24, ns % 1000000);
    sbuf_add(out, text, sizeof(text) - 1);
}

void ecs_write_entity_id(struct sbuf *out, pid_t pid, uint64_t start_ns)
{
    char text[22];

    put_hex(text, 8, (uint32_t)pid);
    /* ticks of 10 ms: the same process has the same id whichever source dated it */
    put_hex(text + 8, 14, start_ns / 10000000);
    sbuf_add(out, text, sizeof(text));
}
