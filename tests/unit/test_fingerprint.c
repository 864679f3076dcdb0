/* SPDX-License-Identifier: MIT */
/* SHA-256 as others compute it, and that what it is made of cannot be cut another way. */
#include "test.h"

#include "util/fingerprint.h"

/* sha256 of the eight bytes of its length, big endian, and the text. */
static void is_the_published_one(void **state)
{
    char text[200];
    static const struct {
        size_t len;
        struct fingerprint expected;
    } rows[] = {
        { 0, { 0xaf5570f5a1810b7aull, 0xf78caf4bc70a660full } },
        { 1, { 0x3b196fd4907bedf5ull, 0x1c3090e9835f2f7cull } },
        { 46, { 0xcbec69e138d41c9aull, 0x3631f89faed0ce78ull } },
        { 47, { 0x4970808a39517f62ull, 0xa7b687ada1ee99b9ull } },
        { 48, { 0x01f5f961863cb06cull, 0x362c238202372634ull } },
        { 55, { 0xca25fa2a5cf07eccull, 0xbb2234ee7ddc83c3ull } },
        { 56, { 0x7c28b52fd0bf7c45ull, 0x0a954ef6126db6adull } },
        { 120, { 0xb9c22ce1bab670c4ull, 0x9a9107399b3606d6ull } },
        { 200, { 0xc1b2f0e3afeaf1deull, 0x337a7b57598803e2ull } },
    };

    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fingerprint found = fingerprint_of((struct bytes){ text, rows[i].len });

        assert_int_equal(found.number, rows[i].expected.number);
        assert_int_equal(found.rest, rows[i].expected.rest);
    }
}

static struct fingerprint of_two(const char *a, const char *b)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add(&of, bytes_of(a));
    fingerprint_add(&of, bytes_of(b));
    return fingerprint_end(&of);
}

static void pieces_end_where_they_end(void **state)
{
    (void)state;
    assert_true(fingerprint_equal(of_two("ab", "c"), of_two("ab", "c")));
    assert_false(fingerprint_equal(of_two("ab", "c"), of_two("a", "bc")));
    assert_false(fingerprint_equal(of_two("", "abc"), of_two("abc", "")));
}

static void both_halves_count(void **state)
{
    (void)state;
    assert_true(fingerprint_equal((struct fingerprint){ 1, 2 }, (struct fingerprint){ 1, 2 }));
    assert_false(fingerprint_equal((struct fingerprint){ 1, 2 }, (struct fingerprint){ 1, 3 }));
    assert_false(fingerprint_equal((struct fingerprint){ 2, 2 }, (struct fingerprint){ 1, 2 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(is_the_published_one), cmocka_unit_test(pieces_end_where_they_end),
                                        cmocka_unit_test(both_halves_count) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
