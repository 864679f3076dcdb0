/* SPDX-License-Identifier: MIT */
/* The growing string: what is added is there, and after an error nothing more is. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "util/sbuf.h"

static const struct decimal_row {
    const char *name;
    uint64_t value;
} decimals[] = {
    { "0", 0 },
    { "9", 9 },
    { "10", 10 },
    { "4294967295", UINT32_MAX },
    { "10000000000000000000", 10000000000000000000ull },
    { "18446744073709551615", UINT64_MAX },
};

static void writes_decimal(void **state)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    const struct decimal_row *row = *state;

    sbuf_add_decimal(&s, row->value);
    assert_string_equal(sbuf_str(&s), row->name);
}

/* By each way of adding, across every boundary of the memory that it has. */
static void grows(void **state)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    char want[4097] = "";
    size_t len = 0;

    (void)state;
    assert_string_equal(sbuf_str(&s), "");
    for (unsigned i = 0; len + 40 < sizeof(want); i++) {
        const char *longer = i & 1 ? "this is longer than sixteen" : "";

        sbuf_add_char(&s, 'c');
        sbuf_add_str(&s, "str");
        sbuf_add_str(&s, longer);
        sbuf_add_bytes(&s, bytes_of("by"));
        sbuf_fill(&s, '-', i % 3);
        len += (size_t)snprintf(want + len, sizeof(want) - len, "cstr%sby%.*s", longer, (int)(i % 3), "--");
        assert_int_equal(s.len, len);
        assert_int_equal(s.data[s.len], 0);
    }
    assert_string_equal(sbuf_str(&s), want);
    assert_int_equal(sbuf_error(&s), 0);
}

static void add_all(struct sbuf *s)
{
    sbuf_add_char(s, 'c');
    sbuf_add_str(s, "str");
    sbuf_add_str(s, "this is longer than sixteen");
    sbuf_add_bytes(s, bytes_of("bytes"));
    sbuf_add(s, "", 0);
    sbuf_fill(s, '-', 3);
    sbuf_add_decimal(s, 42);
    sbuf_addf(s, "%d", 42);
}

static void errors_stay(void **state)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    (void)state;
    sbuf_add_str(&s, "abc");
    sbuf_fill(&s, 'x', SIZE_MAX);
    assert_int_equal(sbuf_error(&s), -ENOMEM);
    add_all(&s);
    assert_string_equal(sbuf_str(&s), "abc");
    sbuf_truncate(&s, 1); /* what is left has room, and still nothing is added */
    add_all(&s);
    assert_string_equal(sbuf_str(&s), "a");
    assert_int_equal(sbuf_error(&s), -ENOMEM);
    sbuf_clear(&s);
    add_all(&s);
    assert_string_equal(sbuf_str(&s), "cstrthis is longer than sixteenbytes---4242");
    assert_int_equal(sbuf_error(&s), 0);
    sbuf_fill(&s, 'x', SIZE_MAX - s.len); /* the NUL has no room */
    assert_null(sbuf_steal(&s));
}

static void error_of_the_first(void **state)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    (void)state;
    sbuf_fill(&s, 'x', SIZE_MAX);
    add_all(&s);
    assert_int_equal(sbuf_error(&s), -ENOMEM);
    assert_string_equal(sbuf_str(&s), "");
}

/* As much as it may be, and not a byte more. */
static void reads_a_file(void **state)
{
    (void)state;
    for (size_t max = 4; max <= 6; max++) {
        _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], "cde", 3), 3);
        close(ends[1]);
        sbuf_add_str(&s, "ab");
        assert_int_equal(sbuf_add_file(&s, ends[0], max), max < 5 ? -EFBIG : 0);
        assert_string_equal(sbuf_str(&s), max < 5 ? "ab" : "abcde");
        close(ends[0]);
        assert_int_equal(sbuf_add_file(&s, ends[0], max), -EBADF);
    }
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(grows),
        cmocka_unit_test(errors_stay),
        cmocka_unit_test(error_of_the_first),
        cmocka_unit_test(reads_a_file),
    };

    return RUN_ROWS(decimals, writes_decimal) + cmocka_run_group_tests(more, NULL, NULL);
}
