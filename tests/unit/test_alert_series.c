/* SPDX-License-Identifier: MIT */
/* What is counted by watch stays bounded, and nothing goes uncounted. */
#include "test.h"

#include <stdio.h>

#include "alert/series.h"

static uint64_t of(const struct alert_counts_by_watch *c, bool expected, unsigned which, const char *watch)
{
    for (const struct alert_series *x = c->series; x; x = x->hh.next)
        if (x->expected == expected && x->which == which && bytes_equal_str((struct bytes){ x->key + ALERT_SERIES_WATCH, x->len }, watch))
            return x->count;
    return 0;
}

static void each_watch_has_its_own(void **state)
{
    struct alert_counts_by_watch c = { 0 };

    (void)state;
    alert_series_add(&c, false, 2, bytes_of("/a"));
    alert_series_add(&c, false, 2, bytes_of("/a"));
    alert_series_add(&c, false, 3, bytes_of("/a"));
    alert_series_add(&c, true, 2, bytes_of("/a"));
    alert_series_add(&c, false, 2, bytes_of("/ab"));
    alert_series_add(&c, false, 1, BYTES_NULL);
    assert_int_equal(of(&c, false, 2, "/a"), 2);
    assert_int_equal(of(&c, false, 3, "/a"), 1);
    assert_int_equal(of(&c, true, 2, "/a"), 1);
    assert_int_equal(of(&c, false, 2, "/ab"), 1);
    assert_int_equal(of(&c, false, 1, ALERT_SERIES_OWN), 1);
    assert_int_equal(c.count, 5);
    alert_series_done(&c);
    assert_null(c.series);
}

static void what_is_too_much_is_of_others(void **state)
{
    struct alert_counts_by_watch c = { 0 };
    uint64_t sum = 0;
    char watch[32];

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(watch, sizeof(watch), "/watch%u", i % 1000);
        alert_series_add(&c, i % 2, 1, bytes_of(watch));
    }
    for (const struct alert_series *x = c.series; x; x = x->hh.next)
        sum += x->count;
    assert_int_equal(sum, 3000);
    assert_true(c.count < 150);
    assert_true(of(&c, false, 1, ALERT_SERIES_OTHER) > 0 && of(&c, true, 1, ALERT_SERIES_OTHER) > 0);
    alert_series_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_watch_has_its_own),
        cmocka_unit_test(what_is_too_much_is_of_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
