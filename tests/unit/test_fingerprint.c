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

/* Reported again, with others between them, as many as would be kept and more, of any length. */
static void is_the_same_each_time(void **state)
{
    static char text[3000];
    static struct fingerprint first[300][2];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(i % 251);
    for (size_t turn = 0; turn < 6; turn++)
        for (size_t i = 0; i < 300; i++)
            for (size_t half = 0; half < 2; half++) {
                struct fingerprint_maker of;
                struct fingerprint found;

                fingerprint_begin(&of);
                fingerprint_add(&of, (struct bytes){ text, half ? 3000 - i : i });
                if (turn % 2) /* added by another way: as its neighbour begins */
                    (void)fingerprint_of((struct bytes){ text, i + 1 });
                fingerprint_add_word(&of, i);
                found = fingerprint_end(&of);
                if (!turn)
                    first[i][half] = found;
                assert_true(fingerprint_equal(first[i][half], found));
                assert_true(!i || !fingerprint_equal(first[i - 1][half], found));
            }
}

/* Where a piece ends beside the others does not matter: the published value of all of it, however long the first is. */
static void any_cut_gives_the_same(void **state)
{
    static char text[1000];

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        unsigned char whole[8 + sizeof(text) + 8] = { 0 }, digest[SHA256_DIGEST_LENGTH];
        struct fingerprint_maker of;
        struct fingerprint found;

        whole[6] = (unsigned char)(len >> 8);
        whole[7] = (unsigned char)len;
        whole[8 + len + 7] = 5;
        (void)SHA256(whole, 8 + len + 8, digest);
        fingerprint_begin(&of);
        fingerprint_add(&of, (struct bytes){ text, len });
        fingerprint_add_word(&of, 5);
        found = fingerprint_end(&of);
        for (size_t i = 0; i < 8; i++) {
            assert_int_equal((unsigned char)(found.number >> (56 - 8 * i)), digest[i]);
            assert_int_equal((unsigned char)(found.rest >> (56 - 8 * i)), digest[8 + i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(is_the_published_one), cmocka_unit_test(pieces_end_where_they_end),
                                        cmocka_unit_test(both_halves_count), cmocka_unit_test(is_the_same_each_time),
                                        cmocka_unit_test(any_cut_gives_the_same) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
