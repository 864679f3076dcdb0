/* SPDX-License-Identifier: MIT */
/* What comes by two sockets is handed on once, in whatever order they are read. */
#include "test.h"

#include "sensor/audit/overlap.h"

/* Upper case: by the later one; the letter is the record. */
static const struct row {
    const char *name, *order, *handed_on;
} rows[] = {
    { "the earlier one alone", "abc", "abc" },
    { "the later one alone", "ABC", "ABC" },
    { "the earlier one first", "abcABC", "abc" },
    { "the later one first", "ABCabc", "ABC" },
    { "in turn", "aAbBCc", "abC" },
    { "they overlap in a part", "abcBCDE", "abcDE" },
    { "two equal records are two", "aaAA", "aa" },
    { "two equal records, one of which the other has not", "aaA", "aa" },
    { "two equal records, the second by one only", "aAA", "aA" },
    { "nothing", "", "" },
};

static void hands_on(void **state)
{
    const struct row *row = *state;
    struct audit_overlap *o = audit_overlap_new();
    char got[32] = "";
    size_t n = 0;

    for (const char *c = row->order; *c; c++) {
        char record = (char)(*c | 0x20);

        if (audit_overlap_is_new(o, *c < 'a', 1300, (struct bytes){ &record, 1 }))
            got[n++] = *c;
    }
    assert_string_equal(got, row->handed_on);
    audit_overlap_free(o);
}

/* The same text of another type is another record; and what is not remembered any more is emitted twice, not lost. */
static void types_and_bounds(void **state)
{
    struct audit_overlap *o = audit_overlap_new();

    (void)state;
    assert_true(audit_overlap_is_new(o, false, 1300, BYTES("a")));
    assert_true(audit_overlap_is_new(o, true, 1302, BYTES("a")));
    for (unsigned i = 0; i < AUDIT_OVERLAP_MAX + 10; i++)
        assert_true(audit_overlap_is_new(o, false, 1, (struct bytes){ (const char *)&i, sizeof(i) }));
    assert_false(audit_overlap_is_new(o, true, 1300, BYTES("a")));
    audit_overlap_free(o);
    assert_true(audit_overlap_is_new(NULL, true, 1300, BYTES("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(types_and_bounds) };
    struct CMUnitTest table[ARRAY_SIZE(rows)];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        table[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = hands_on, .initial_state = (void *)(uintptr_t)&rows[i] };
    if (_cmocka_run_group_tests("hands_on", table, ARRAY_SIZE(table), NULL, NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
