/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <stdlib.h>

#include "util/parse.h"

static const struct duration_row {
    const char *name;
    int r;
    uint64_t ns;
} duration_rows[] = {
    { "90s", 0, 90 * NS_PER_S },
    { "15m", 0, 900 * NS_PER_S },
    { "1h30m", 0, 5400 * NS_PER_S },
    { "7d", 0, 7 * 86400 * NS_PER_S },
    { "500ms", 0, 500 * NS_PER_MS },
    { "0s", 0, 0 },
    { "", -EINVAL, 0 },
    { "90", -EINVAL, 0 },
    { "s", -EINVAL, 0 },
    { "-1s", -EINVAL, 0 },
    { "1x", -EINVAL, 0 },
    { "99999999999999999999s", -ERANGE, 0 },
    { "9999999999999d", -ERANGE, 0 },
};

static void parses_duration(void **state)
{
    const struct duration_row *row = *state;
    uint64_t ns = 0;

    assert_int_equal(parse_duration(row->name, &ns, NULL), row->r);
    assert_int_equal(ns, row->ns);
}

/* TZ=UTC; now = 2026-11-24T12:00:00Z, a Tuesday */
#define NOW (1795521600ull * NS_PER_S)

static const struct time_row {
    const char *name;
    int r;
    uint64_t s, ns;
} time_rows[] = {
    { "2026-11-24T03:12:00Z", 0, 1795489920, 0 },
    { "2026-11-24T03:12:00.5Z", 0, 1795489920, 500000000 },
    { "2026-11-24T03:12:00+02:00", 0, 1795482720, 0 },
    { "2026-11-24 03:12", 0, 1795489920, 0 },
    { "2026-11-24", 0, 1795478400, 0 },
    { "03:12", 0, 1795489920, 0 },
    { "today", 0, 1795478400, 0 },
    { "yesterday", 0, 1795392000, 0 },
    { "-2h", 0, 1795514400, 0 },
    { "7d", 0, 1794916800, 0 },
    { "this-week", 0, 1795305600, 0 },
    { "recent", 0, 1795521000, 0 },
    { "2262-04-11T00:00:00Z", 0, 9223286400, 0 },
    { "9999-12-31T23:59:59Z", -EINVAL, 0, 0 }, /* 64 bits of nanoseconds end before */
    { "9999-12-31", -EINVAL, 0, 0 },
    { "2026-13-24", -EINVAL, 0, 0 },
    { "2026-11-24T25:00", -EINVAL, 0, 0 },
    { "2026-11-24T03:12:00Zjunk", -EINVAL, 0, 0 },
    { "tomorrow", -EINVAL, 0, 0 },
    { "", -EINVAL, 0, 0 },
};

static void parses_time(void **state)
{
    const struct time_row *row = *state;
    uint64_t ns = 0;

    assert_int_equal(parse_time(row->name, NOW, &ns, NULL), row->r);
    if (row->r == 0)
        assert_int_equal(ns, row->s * NS_PER_S + row->ns);
}

static const struct fraction_row {
    const char *name;
    bool good;
    uint64_t ns;
    const char *rest;
} fraction_rows[] = {
    { ".5Z", true, 500000000, "Z" },
    { ".123456789", true, 123456789, "" },
    { ".1234567899999999999999999999999", true, 123456789, "" },
    { "Z", true, 0, "Z" },
    { ".5e300Z", true, 500000000, "e300Z" }, /* no floating point: that is out of all range */
    { ".", false, 0, "." },
    { ".infZ", false, 0, ".infZ" },
};

static void parses_fraction(void **state)
{
    const struct fraction_row *row = *state;
    const char *at = row->name;
    uint64_t ns = 1;

    assert_int_equal(parse_fraction(&at, &ns), row->good);
    assert_int_equal(ns, row->ns);
    assert_string_equal(at, row->good ? row->rest : row->name);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    return RUN_ROWS(duration_rows, parses_duration) + RUN_ROWS(time_rows, parses_time) + RUN_ROWS(fraction_rows, parses_fraction);
}
