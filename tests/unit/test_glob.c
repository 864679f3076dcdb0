/* SPDX-License-Identifier: MIT */
/* Path patterns, paths that are joined, and the word that is nearest to what was typed. */
#include "test.h"

#include <time.h>

#include "util/glob.h"
#include "util/path.h"
#include "util/suggest.h"

static const struct glob_row {
    const char *name; /* the pattern */
    const char *text;
    bool matches, covers;
} glob_rows[] = {
    { "/a/b", "/a/b", true, true },
    { "/a/b", "/a/b/c", false, true },
    { "/a/b/", "/a/b/c", false, true },
    { "/a/b", "/a/bc", false, false },
    { "/", "/a", false, false },
    { "/a/*.tmp", "/a/x.tmp", true, true },
    { "/a/*.tmp", "/a/d/x.tmp", false, false },
    { "/a/*", "/a/d/x.tmp", false, true },
    { "/a/**/x", "/a/x", true, true },
    { "/a/**/x", "/a/b/c/x", true, true },
    { "/a/**/x", "/a/yx", false, false },
    { "/a/**/x", "/a/b/yx", false, false },
    { "/a/**.tmp", "/a/b/c.tmp", true, true },
    { "**/x", "x", true, true },
    { "/a/**", "/a/b/c", true, true },
    { "/a/**", "/b", false, false },
    { "/a?c", "/abc", true, true },
    { "/a?c", "/a/c", false, false },
    { "f[0-9]", "f7", true, true },
    { "f[!0-9]", "f7", false, false },
    { "f[!0-9]", "fx", true, true },
    { "f[^0-9]", "fx", true, true },
    { "a[!b]c", "a/c", false, false },
    { "f[]x]", "f]", true, true },
    { "f[ab", "f[ab", true, true },
    { "f[a-", "f[a-", true, true },
    { "a\\*b", "a*b", true, true },
    { "a\\*b", "axb", false, false },
    { "a\\", "a\\", true, true },
    { "*a*b*c", "xxaybzbc", true, true },
    { "*a*b*c", "xxaybzbd", false, false },
    { "/**/a/*/c", "/x/a/y/a/z/c", true, true },
    { "", "", true, true },
    { "", "/a", false, false },
    { "*", "", true, true },
};

static void globs(void **state)
{
    const struct glob_row *row = *state;

    assert_int_equal(glob_matches(bytes_of(row->name), bytes_of(row->text)), row->matches);
    assert_int_equal(glob_covers(bytes_of(row->name), bytes_of(row->text)), row->covers);
}

static void paths(void **state)
{
    static const struct {
        const char *dir, *name, *path;
    } rows[] = {
        { "/a/b", "c", "/a/b/c" },     { "/a/b/", "./c//d/.", "/a/b/c/d" }, { "/a/b", "../c", "/a/c" },
        { "/a", "../../..", "/" },     { "", "/x/../y", "/y" },             { "", "", "/" },
        { "/a", "..b/.c/...", "/a/..b/.c/..." }, { "a", "", "/a" },
    };
    char to[16];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_bytes(path_join(bytes_of(rows[i].dir), bytes_of(rows[i].name), to, sizeof(to)), rows[i].path);
    assert_bytes(path_join(BYTES_NULL, bytes_of("/abcdefghijklmno"), to, sizeof(to)), "/abcdefghijklmno"); /* all of it */
    assert_int_equal(path_join(BYTES_NULL, bytes_of("/abcdefghijklmnop"), to, sizeof(to)).len, 0);
    assert_int_equal(path_join(bytes_of("/abcdefghijklmno"), bytes_of("x"), to, sizeof(to)).len, 0);
    assert_bytes(path_join(BYTES_NULL, BYTES_NULL, to, 1), "/");
}

/* What takes exponential time elsewhere. */
static void a_hostile_name_costs_nothing(void **state)
{
    char name[4096], pattern[129];
    clock_t began = clock();

    (void)state;
    memset(name, 'a', sizeof(name));
    for (unsigned i = 0; i < 128; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[128] = 'b';
    assert_false(glob_matches((struct bytes){ pattern, sizeof(pattern) }, (struct bytes){ name, sizeof(name) }));
    for (unsigned i = 0; i < 128; i += 4)
        memcpy(pattern + i, "**/a", 4);
    assert_false(glob_matches((struct bytes){ pattern, sizeof(pattern) }, (struct bytes){ name, sizeof(name) }));
    assert_true((clock() - began) / CLOCKS_PER_SEC < 2);
}

static void binary_is_a_name_too(void **state)
{
    (void)state;
    assert_true(glob_matches(BYTES("/a/*"), BYTES("/a/\0\xff\n")));
    assert_false(glob_matches(BYTES("/a/b"), BYTES("/a/b\0c")));
}

static const struct suggest_row {
    const char *name; /* what was typed */
    const char *best; /* of the words below; NULL: none */
} suggest_rows[] = {
    { "wach", "watch" },     { "wacth", "watch" },   { "WATCH", "watch" }, { "serch", "search" },
    { "delet", "delete" },   { "deleted", "delete" }, { "chmdo", "chmod" }, { "permissions", "permission" },
    { "premission", "permission" }, { "fly", NULL },  { "", NULL },         { "x", NULL },
    { "rnu", "run" },        { "nosuch", NULL },      { "w", NULL },
};
static const char *const words[] = { "watch", "run", "who", "search", "delete", "chmod", "permission" };

static void suggests(void **state)
{
    const struct suggest_row *row = *state;
    struct suggestion s = { .typed = bytes_of(row->name) };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        suggest_offer(&s, bytes_of(words[i]));
    if (row->best)
        assert_bytes(s.best, row->best);
    else
        assert_null(s.best.data);
}

static void distances(void **state)
{
    char of_any_length[100000];

    (void)state;
    memset(of_any_length, 'x', sizeof(of_any_length));
    assert_int_equal(edit_distance(bytes_of("kitten"), bytes_of("sitting")), 3);
    assert_int_equal(edit_distance(bytes_of("ab"), bytes_of("ba")), 1);
    assert_int_equal(edit_distance(bytes_of(""), bytes_of("abc")), 3);
    assert_int_equal(edit_distance((struct bytes){ of_any_length, sizeof(of_any_length) }, bytes_of("x")),
                     SUGGEST_WORD_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(paths), cmocka_unit_test(a_hostile_name_costs_nothing),
                                        cmocka_unit_test(binary_is_a_name_too), cmocka_unit_test(distances) };

    return RUN_ROWS(glob_rows, globs) + RUN_ROWS(suggest_rows, suggests) + cmocka_run_group_tests(tests, NULL, NULL);
}
