/* SPDX-License-Identifier: MIT */
#include "history/numbers.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "util/macro.h"

/* Numbers as they are read, a second apart; then how many are missing, boots that began, and moves back. */
static const struct row {
    const char *name, *numbers;
    uint64_t missing;
    unsigned anew, other;
} rows[] = {
    { "all", "100 101 101 102", 0, 0, 0 },
    { "one left out", "100 102", 1, 0, 0 },
    { "as processors write them", "100 103 101 102 106 105 104", 0, 0, 0 },
    { "late, and again", "100 103 101 101 101", 1, 0, 0 },
    { "before the first one", "100 99 98 101", 0, 0, 0 },
    { "so far back that it is another boot", "100 102 900 1500 101", 1 + 797 + 599, 1, 0 },
    { "late by nearly all that is remembered", "1000 1002 1999 1001", 996, 0, 0 },
    { "another boot", "50000 50001 1 2 3", 0, 1, 0 },
    { "another boot, some left out", "50000 50003 1 3", 3, 1, 0 },
    { "two machines without names", "50000 100 50001 101 50002 102 50003", 0, 1, 5 },
    { "a broken stamp", "100 4000000000 101 102", 0, 0, 1 },
    { "more than a machine counts to", "100 1152921504606846976 101 18446744073709551615 102", 0, 0, 0 },
    { "the counter begins anew", "4294967294 4294967295 1 2", 0, 1, 0 },
};

static void counts(void **state)
{
    const struct row *row = *state;
    struct numbers n = { 0 };
    struct missing m = { 0 };
    unsigned anew = 0, other = 0;
    uint64_t ms = 1000;

    for (const char *p = row->numbers; *p; p += strspn(p, " "), ms += 1000) {
        char *end;
        enum numbers_step step = numbers_see(&n, strtoull(p, &end, 10), ms, &m);

        p = end;
        anew += step == NUMBERS_ANEW;
        other += step == NUMBERS_OTHER;
    }
    assert_int_equal(missing_between(&m, 0, 0).count, row->missing);
    assert_int_equal(anew, row->anew);
    assert_int_equal(other, row->other);
}

static void times(void **state)
{
    struct numbers n = { 0 };
    struct missing m = { 0 };
    struct numbers_span span;

    (void)state;
    numbers_see(&n, 100, 1000, &m);
    numbers_see(&n, 110, 2000, &m);
    numbers_see(&n, 111, 900000, &m);
    numbers_see(&n, 113, 901000, &m);
    assert_int_equal(missing_between(&m, 0, 0).count, 10);
    assert_int_equal(missing_between(&m, 2001, 899999).count, 0);
    span = missing_between(&m, 3000, 0);
    assert_int_equal(span.count, 1);
    assert_int_equal(span.from_ms, 900000);
    assert_int_equal(span.to_ms, 901000);
    assert_int_equal(missing_between(&m, 0, 1500).count, 9);
}

/* However many there are. */
static void bounded(void **state)
{
    struct numbers n = { 0 };
    struct missing m = { 0 };
    struct numbers_span span;

    (void)state;
    for (uint64_t i = 0; i < 100000; i++)
        numbers_see(&n, 1 + 3 * i, i % 7 ? i * 60000 : 0, &m);
    span = missing_between(&m, 0, 0);
    assert_true(m.count <= MISSING_SPANS);
    assert_int_equal(span.count, 2 * 99999);
    assert_int_equal(span.to_ms, 99999ull * 60000);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_SIZE(rows) + 2];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        tests[n++] = (struct CMUnitTest){ rows[i].name, counts, NULL, NULL, (void *)(uintptr_t)&rows[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(times);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(bounded);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
