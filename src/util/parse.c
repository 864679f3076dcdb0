/* SPDX-License-Identifier: MIT */
#include "util/parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/clock.h"

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 255;
}

int parse_u64(struct bytes text, unsigned base, uint64_t *ret)
{
    uint64_t value = 0;

    if (text.len == 0)
        return -EINVAL;
    for (size_t i = 0; i < text.len; i++) {
        unsigned d = (unsigned)digit_value(text.data[i]);

        if (d >= base)
            return -EINVAL;
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)d, &value))
            return -ERANGE;
    }
    *ret = value;
    return 0;
}

int parse_u32(struct bytes text, unsigned base, uint32_t *ret)
{
    uint64_t value;
    int r = parse_u64(text, base, &value);

    if (r < 0)
        return r;
    if (value > UINT32_MAX)
        return -ERANGE;
    *ret = (uint32_t)value;
    return 0;
}

int parse_i64(struct bytes text, int64_t *ret)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    uint64_t value;
    int r;

    if (negative)
        text = (struct bytes){ text.data + 1, text.len - 1 };
    r = parse_u64(text, 10, &value);
    if (r < 0)
        return r;
    if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return -ERANGE;
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}

static int parse_duration_quiet(const char *text, uint64_t *ret_ns)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } units[] = {
        { "ms", NS_PER_MS },          { "us", 1000 },
        { "ns", 1 },                  { "s", NS_PER_S },
        { "m", 60 * NS_PER_S },       { "h", 3600 * NS_PER_S },
        { "d", 86400 * NS_PER_S },    { "w", 7 * 86400 * NS_PER_S },
    };
    uint64_t total = 0;

    if (!*text)
        return -EINVAL;
    while (*text) {
        size_t digits = strspn(text, "0123456789"), letters, u;
        uint64_t value;
        int r = parse_u64((struct bytes){ text, digits }, 10, &value);

        if (r < 0)
            return r;
        text += digits;
        letters = strspn(text, "abcdefghijklmnopqrstuvwxyz");
        for (u = 0; u < ARRAY_SIZE(units); u++)
            if (strlen(units[u].unit) == letters && strncmp(units[u].unit, text, letters) == 0)
                break;
        if (u == ARRAY_SIZE(units))
            return -EINVAL;
        text += letters;
        if (__builtin_mul_overflow(value, units[u].ns, &value) ||
            __builtin_add_overflow(total, value, &total) || total > INT64_MAX)
            return -ERANGE;
    }
    *ret_ns = total;
    return 0;
}

int parse_duration(const char *text, uint64_t *ret_ns, struct err *err)
{
    int r = parse_duration_quiet(text, ret_ns);

    if (r < 0)
        return err_say(err, r, "\"%.40s\" is not a duration (write 90s, 15m, 2h or 7d)", text);
    return 0;
}

int parse_size(const char *text, uint64_t *ret, struct err *err)
{
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    unsigned shift = 0;
    uint64_t value;

    if (*unit == 'K' || *unit == 'k')
        shift = 10;
    else if (*unit == 'M' || *unit == 'm')
        shift = 20;
    else if (*unit == 'G' || *unit == 'g')
        shift = 30;
    if (parse_u64((struct bytes){ text, digits }, 10, &value) < 0 || (shift ? unit[1] : unit[0]) ||
        value > (UINT64_MAX >> 1 >> shift))
        return err_say(err, -EINVAL, "\"%.40s\" is not a size (write 4096, 64K, 16M or 1G)", text);
    *ret = value << shift;
    return 0;
}

/* Local midnight, `months`, `days` away from the day that holds `now`. */
static uint64_t local_midnight(uint64_t now_ns, int day_offset)
{
    time_t t = (time_t)(now_ns / NS_PER_S);
    struct tm tm;

    localtime_r(&t, &tm);
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_mday += day_offset;
    tm.tm_isdst = -1;
    return (uint64_t)mktime(&tm) * NS_PER_S;
}

static bool parse_word(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
    time_t t = (time_t)(now_ns / NS_PER_S);
    struct tm tm;

    localtime_r(&t, &tm);
    tm.tm_isdst = -1;
    if (strcmp(text, "now") == 0) {
        *ret_ns = now_ns;
    } else if (strcmp(text, "today") == 0) {
        *ret_ns = local_midnight(now_ns, 0);
    } else if (strcmp(text, "yesterday") == 0) {
        *ret_ns = local_midnight(now_ns, -1);
    } else if (strcmp(text, "recent") == 0) {
        *ret_ns = now_ns - 600 * NS_PER_S;
    } else if (strcmp(text, "this-hour") == 0) {
        tm.tm_min = tm.tm_sec = 0;
        *ret_ns = (uint64_t)mktime(&tm) * NS_PER_S;
    } else if (strcmp(text, "this-week") == 0) {
        *ret_ns = local_midnight(now_ns, -tm.tm_wday);
    } else if (strcmp(text, "week-ago") == 0) {
        *ret_ns = local_midnight(now_ns, -7);
    } else if (strcmp(text, "this-month") == 0) {
        *ret_ns = local_midnight(now_ns, 1 - tm.tm_mday);
    } else if (strcmp(text, "this-year") == 0) {
        *ret_ns = local_midnight(now_ns, -tm.tm_yday);
    } else if (strcmp(text, "boot") == 0) {
        *ret_ns = now_ns - clock_ns(CLOCK_BOOTTIME);
    } else {
        return false;
    }
    return true;
}

bool parse_fraction(const char **at, uint64_t *ret_ns)
{
    uint64_t ns = 0, unit = NS_PER_S / 10;
    const char *p = *at;

    *ret_ns = 0;
    if (*p != '.')
        return true;
    p++;
    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        ns += (uint64_t)(*p - '0') * unit;
        unit /= 10;
    }
    *ret_ns = ns;
    *at = p;
    return true;
}

static bool parse_clock(const char **at, struct tm *tm)
{
    int h, m, s = 0, n = 0, more = 0;

    if (sscanf(*at, "%2d:%2d%n", &h, &m, &n) < 2 || n == 0)
        return false;
    if ((*at)[n] == ':') {
        if (sscanf(*at + n, ":%2d%n", &s, &more) < 1)
            return false;
        n += more;
    }
    if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60)
        return false;
    tm->tm_hour = h;
    tm->tm_min = m;
    tm->tm_sec = s;
    *at += n;
    return true;
}

#define TIME_MAX (INT64_MAX / NS_PER_S - 1) /* seconds that 63 bits of nanoseconds hold: year 2262 */

static bool parse_date(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
    time_t now = (time_t)(now_ns / NS_PER_S), t;
    uint64_t fraction = 0;
    const char *p = text;
    struct tm tm;
    int y, mo, d, n = 0;

    localtime_r(&now, &tm);
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    if (sscanf(p, "%4d-%2d-%2d%n", &y, &mo, &d, &n) == 3 && n == 10) {
        if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > 31)
            return false;
        tm.tm_year = y - 1900;
        tm.tm_mon = mo - 1;
        tm.tm_mday = d;
        p += n;
        if (!*p) {
            t = mktime(&tm);
            if (t < 0 || (uint64_t)t > TIME_MAX)
                return false;
            *ret_ns = (uint64_t)t * NS_PER_S;
            return true;
        }
        if (*p != 'T' && *p != 't' && *p != ' ')
            return false;
        p++;
    }
    if (!parse_clock(&p, &tm) || !parse_fraction(&p, &fraction))
        return false;
    if (*p == 'Z' || *p == 'z') {
        t = timegm(&tm);
        p++;
    } else if (*p == '+' || *p == '-') {
        int oh, om, sign = *p == '-' ? -1 : 1;

        n = 0;
        if (sscanf(p + 1, "%2d:%2d%n", &oh, &om, &n) < 2 || n != 5 || oh < 0 || oh > 23 || om < 0 ||
            om > 59)
            return false;
        t = timegm(&tm) - sign * (oh * 3600 + om * 60);
        p += 6;
    } else {
        t = mktime(&tm);
    }
    if (*p || t < 0 || (uint64_t)t > TIME_MAX)
        return false;
    *ret_ns = (uint64_t)t * NS_PER_S + fraction;
    return true;
}

int parse_time(const char *text, uint64_t now_ns, uint64_t *ret_ns, struct err *err)
{
    uint64_t ago;

    if (parse_word(text, now_ns, ret_ns) || parse_date(text, now_ns, ret_ns))
        return 0;
    if (parse_duration_quiet(text[0] == '-' ? text + 1 : text, &ago) == 0 && ago <= now_ns) {
        *ret_ns = now_ns - ago;
        return 0;
    }
    return err_say(err, -EINVAL,
                   "\"%.40s\" is not a time (write 2026-11-16T03:12:00Z, 03:12, today, yesterday, "
                   "or -2h)",
                   text);
}
