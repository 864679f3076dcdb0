/* SPDX-License-Identifier: MIT */
/* What does not work for a time: said once when it begins, once when it is over. */
#include "test.h"

#include <stdio.h>

#include "daemon/faults.h"

static void is_said_twice(void **state)
{
    struct faults f = { 0 };
    const char *name = NULL;
    struct gap gap;

    (void)state;
    assert_true(faults_note(&f, LOST_SENSOR, "audit", 2, "no buffer", 100, &gap));
    assert_int_equal(gap.reason, LOST_SENSOR);
    assert_int_equal(gap.sensor, 2);
    assert_int_equal(gap.from_ns, 100);
    assert_int_equal(gap.to_ns, 100);
    assert_string_equal(gap.text, "audit: no buffer");
    for (uint64_t now = 110; now < 200; now += 10) { /* each turn it is noted again, with whatever words */
        assert_false(faults_note(&f, LOST_SENSOR, "audit", 2, "something else", now, &gap));
        assert_false(faults_end(&f, false, now, &gap, &name));
    }
    assert_true(faults_end(&f, false, 300, &gap, &name));
    assert_string_equal(name, "audit");
    assert_int_equal(gap.from_ns, 100);
    assert_int_equal(gap.to_ns, 300);
    assert_string_equal(gap.text, "audit: no buffer");
    assert_false(faults_end(&f, false, 300, &gap, &name));
    assert_true(faults_note(&f, LOST_SENSOR, "audit", 2, "again", 400, &gap));
}

static void are_distinguished(void **state)
{
    struct faults f = { 0 };
    const char *name = NULL;
    struct gap gap;

    (void)state;
    assert_true(faults_note(&f, LOST_ENGINE, "docker", 0, "x", 100, &gap));
    assert_true(faults_note(&f, LOST_ENGINE, "podman", 0, "x", 200, &gap));
    assert_true(faults_note(&f, LOST_SENSOR, "docker", 0, "x", 300, &gap));
    assert_false(faults_end(&f, false, 400, &gap, &name));
    assert_false(faults_note(&f, LOST_ENGINE, "podman", 0, "x", 500, &gap));
    for (unsigned i = 0; i < 2; i++) {
        assert_true(faults_end(&f, false, 600, &gap, &name));
        assert_string_equal(name, "docker");
    }
    assert_false(faults_end(&f, false, 600, &gap, &name));
    assert_false(faults_note(&f, LOST_ENGINE, "podman", 0, "x", 700, &gap));
    assert_true(faults_end(&f, true, 800, &gap, &name)); /* the observation ends: so does what goes on */
    assert_string_equal(name, "podman");
    assert_int_equal(gap.from_ns, 200);
    assert_int_equal(gap.to_ns, 800);
    assert_false(faults_end(&f, true, 800, &gap, &name));
}

static void are_bounded(void **state)
{
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r" };
    struct faults f = { 0 };
    struct gap gap;
    char longer[500];

    (void)state;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(faults_note(&f, LOST_SENSOR, names[i], 0, longer, 100, &gap), i < FAULTS_MAX);
    assert_int_equal(f.count, FAULTS_MAX);
    assert_true(strlen(gap.text) < sizeof(gap.text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_said_twice),
        cmocka_unit_test(are_distinguished),
        cmocka_unit_test(are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
