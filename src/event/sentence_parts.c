/* SPDX-License-Identifier: MIT */
#include "event/sentence_parts.h"

#include "util/digits.h"
#include "util/err.h"

#define DAY_S 86400
/* Up to here a double is nearer to its quotient than that is to one halfway between two tenths, if it is none. */
#define EXACT_UNIT 2         /* GB: sizes are divided by a thousand again and again */

void sentence_time(struct sbuf *out, uint64_t time_ns, long utc_offset_s)
{
    int64_t of_day = ((int64_t)(time_ns / NS_PER_S) + utc_offset_s) % DAY_S;
    unsigned s = (unsigned)(of_day < 0 ? of_day + DAY_S : of_day);
    unsigned ms = (unsigned)(time_ns % NS_PER_S / NS_PER_MS);
    char text[] = "00:00:00.000";

    put_two_digits(text, s / 3600);
    put_two_digits(text + 3, s / 60 % 60);
    put_two_digits(text + 6, s % 60);
    text[9] = (char)('0' + ms / 100);
    put_two_digits(text + 10, ms % 100);
    sbuf_add(out, text, sizeof(text) - 1);
}

bool sentence_tenths(struct sbuf *out, uint64_t value, uint64_t unit)
{
    uint64_t tenths = (value + unit / 20) / (unit / 10);

    if (value % (unit / 10) == unit / 20)
        return false;
    sbuf_add_decimal(out, tenths / 10);
    sbuf_add_char(out, '.');
    sbuf_add_char(out, (char)('0' + tenths % 10));
    return true;
}

void sentence_size(struct sbuf *out, uint64_t bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
    double value = (double)bytes / 1000;
    uint64_t divisor = 1000;
    size_t unit = 0;

    if (bytes < 1000) {
        sbuf_add_decimal(out, bytes);
        sbuf_add_str(out, " B");
        return;
    }
    for (; value >= 999.95 && unit + 1 < ARRAY_SIZE(units); value /= 1000) {
        divisor *= 1000;
        unit++;
    }
    if (unit > EXACT_UNIT || !sentence_tenths(out, bytes, divisor))
        sbuf_addf(out, "%.1f", value);
    sbuf_add_char(out, ' ');
    sbuf_add_str(out, units[unit]);
}
