/* SPDX-License-Identifier: MIT */
/* Times of ECS lines, and the ids that are made of them. */
#include "test.h"
#include "ecs_line.h"
#include "make.h"

#include <time.h>

static void dates(void **state)
{
    static const struct {
        uint64_t s;
        const char *text;
    } rows[] = {
        { 0, "\"1970-01-01T00:00:00.000000000Z\"" },           { 86399, "\"1970-01-01T23:59:59.000000000Z\"" },
        { 5097600, "\"1970-03-01T00:00:00.000000000Z\"" },     { 68169600, "\"1972-02-29T00:00:00.000000000Z\"" },
        { 951782400, "\"2000-02-29T00:00:00.000000000Z\"" },   { 978220800, "\"2000-12-31T00:00:00.000000000Z\"" },
        { 978307200, "\"2001-01-01T00:00:00.000000000Z\"" },   { 1709164800, "\"2024-02-29T00:00:00.000000000Z\"" },
        { 4107456000, "\"2100-02-28T00:00:00.000000000Z\"" },  { 4107542400, "\"2100-03-01T00:00:00.000000000Z\"" },
        { 13574563200, "\"2400-02-29T00:00:00.000000000Z\"" }, { 18446744073, "\"2554-07-21T23:34:33.000000000Z\"" },
    };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        sbuf_clear(&out);
        ecs_write_time(&out, rows[i].s * 1000000000);
        assert_string_equal(sbuf_str(&out), rows[i].text);
    }
    sbuf_clear(&out);
    ecs_write_time(&out, UINT64_MAX);
    assert_string_equal(sbuf_str(&out), "\"2554-07-21T23:34:33.709551615Z\"");
}

/* Every day that a time can name, as the C library has it. */
static void every_day(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    (void)state;
    for (uint64_t s = 86399; s < UINT64_MAX / 1000000000; s += 86400) {
        char text[40];
        time_t t = (time_t)s;
        struct tm tm;

        strftime(text, sizeof(text), "\"%FT%T.000000000Z\"", gmtime_r(&t, &tm));
        sbuf_clear(&out);
        ecs_write_time(&out, s * 1000000000);
        assert_string_equal(sbuf_str(&out), text);
    }
}

/* As doubles round. */
static void since_starts(void **state)
{
    static const int64_t rows[] = { 0,         1,          499,           500,           501,           1499,
                                    1500,      2500,       -1,            -499,          -500,          -501,
                                    -1500,     999999499,  999999500,     999999501,     1000000000,    -999999501,
                                    123456789, 4194303ll * 1000000000 + 999999499,       4194303999999501,
                                    4194304000000499,      -4194304000000501,            9007199254740993,
                                    INT64_MAX, INT64_MIN,  INT64_MIN + 1, 86400000000500 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
        struct event *e = make_event(OPERATION_UNLINK, "/a", NULL, NULL, 1);
        char want[64];

        e->since_start_known = true;
        e->since_start_ns = rows[i];
        ecs_write_event(&out, e, NULL);
        snprintf(want, sizeof(want), ",\"since_start\":%.6f,", (double)rows[i] / 1e9);
        if (!strstr(sbuf_str(&out), want))
            fail_msg("%s is not in %s", want, sbuf_str(&out));
        event_free(e);
    }
}

static void entity_id_does_not_depend_on_the_source(void **state)
{
    _cleanup_sbuf_ struct sbuf a = SBUF_INIT, b = SBUF_INIT, c = SBUF_INIT;

    (void)state;
    ecs_write_entity_id(&a, 4711, 12345678901234ull); /* the kernel's nanoseconds */
    ecs_write_entity_id(&b, 4711, 12345670000000ull); /* the ticks of /proc */
    ecs_write_entity_id(&c, 4711, 12345680000000ull);
    assert_string_equal(sbuf_str(&a), sbuf_str(&b));
    assert_string_not_equal(sbuf_str(&a), sbuf_str(&c));
    assert_int_equal(a.len, 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates),
        cmocka_unit_test(every_day),
        cmocka_unit_test(since_starts),
        cmocka_unit_test(entity_id_does_not_depend_on_the_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
