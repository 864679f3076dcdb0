/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdint.h>

#include "store/row_set.h"

static void rows_in_a_set(void **state)
{
    struct row_set set = { 0 };

    (void)state;
    assert_false(row_set_has(&set, 1));
    assert_false(row_set_add(&set, 0));
    assert_false(row_set_add(&set, -5));
    assert_false(row_set_add(&set, INT64_MAX));
    for (int64_t i = 1; i < 200000; i += 7)
        assert_true(row_set_add(&set, i));
    assert_true(row_set_add(&set, 1ll << 33));
    for (int64_t i = 1; i < 200000; i++)
        assert_int_equal(row_set_has(&set, i), i % 7 == 1);
    assert_true(row_set_has(&set, 1ll << 33));
    assert_false(row_set_has(&set, (1ll << 33) + 1));
    assert_false(row_set_has(&set, INT64_MAX));
    row_set_done(&set);
    assert_false(row_set_has(&set, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_in_a_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
