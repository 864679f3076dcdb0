/* SPDX-License-Identifier: MIT */
/* The vectors of the reference implementation: key 00 01 ... 0f, input 00 01 ... */
#include "test.h"

#include "util/siphash.h"

static void is_the_published_one(void **state)
{
    static const uint8_t expected[][8] = {
        { 0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72 }, /* of nothing */
        { 0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74 },
        { 0x5a, 0x4f, 0xa9, 0xd9, 0x09, 0x80, 0x6c, 0x0d },
    };
    char input[64];

    (void)state;
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (char)i;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        uint64_t hash = htole64(siphash(0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull, (struct bytes){ input, i }));

        assert_memory_equal(&hash, expected[i], 8);
    }
    /* the example of the paper: 15 bytes */
    assert_int_equal(siphash(0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull, (struct bytes){ input, 15 }),
                     0xa129ca6149be45e5ull);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(is_the_published_one) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
