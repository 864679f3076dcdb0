/* SPDX-License-Identifier: MIT */
/* The records that cross from the kernel: no hidden padding, for ring memory is not cleared. */
#include "test.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include "wire/change.h"
#include "wire/hooks.h"
#include "wire/match.h"
#pragma GCC diagnostic pop

static void is_a_multiple_of_eight(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct wire_change) % 8, 0);
    assert_int_equal(sizeof(struct wire_actor) % 8, 0);
    assert_int_equal(sizeof(struct wire_chain) % 8, 0);
}

/* The filter's hash has to stay within its bits, and the kinds of keys apart. */
static void filter_stays_within(void **state)
{
    (void)state;
    for (__u64 i = 1; i < 1u << 20; i += 4099) {
        assert_true(WIRE_FILTER_HASH(WIRE_FILTER_INODE(i & 0xff, i)) < WIRE_FILTER_BITS);
        assert_true(WIRE_FILTER_SUPER(i) != WIRE_FILTER_ABOVE(i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_a_multiple_of_eight),
        cmocka_unit_test(filter_stays_within),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
