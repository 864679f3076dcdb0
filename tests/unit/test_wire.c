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
        assert_true(WIRE_FILTER_INODE(0, i) != WIRE_FILTER_ABOVE(i));
    }
}

/* Another file system that shares a byte with a watched one pays for a walk: those of one machine seldom do. */
static void supers_are_apart(void **state)
{
    bool taken[WIRE_SUPERS] = { false };
    const __u32 disks[] = { 8 << 20 | 1, 8 << 20 | 2, 254 << 20, 259 << 20 | 1, 7 << 20, 252 << 20 };

    (void)state;
    for (__u32 anonymous = 1; anonymous < 200; anonymous++) {
        assert_false(taken[WIRE_SUPER(anonymous)]);
        taken[WIRE_SUPER(anonymous)] = true;
    }
    for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
        assert_false(taken[WIRE_SUPER(disks[i])]);
        taken[WIRE_SUPER(disks[i])] = true;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_a_multiple_of_eight),
        cmocka_unit_test(filter_stays_within),
        cmocka_unit_test(supers_are_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
