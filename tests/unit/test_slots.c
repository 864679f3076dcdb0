/* SPDX-License-Identifier: MIT */
/* Numbers by hash, against a plain array: few, many, hashes that collide, and a table that never is still. */
#include "test.h"

#include <stdlib.h>

#include "util/slots.h"

enum { MANY = 30000 };

static uint32_t spread(const void *data, uint32_t number)
{
    (void)data;
    return number * 2654435761u;
}

static uint32_t collide(const void *data, uint32_t number)
{
    (void)data;
    return number % 7 * 613566756u; /* seven hashes for all */
}

static bool has(const struct slots *s, uint32_t hash, uint32_t number)
{
    uint32_t at, left, n;

    slots_start(s, hash, &at, &left);
    while ((n = slots_next(s, hash, &at, &left)))
        if (n == number)
            return true;
    return false;
}

static void add(struct slots *s, slots_hash *hash, uint32_t number)
{
    assert_int_equal(slots_reserve(s, number, hash, NULL), 0);
    slots_add(s, hash(NULL, number), number);
}

/* Every element once, in whatever order. */
static void assert_all(struct slots *s, slots_hash *hash, const bool *there, uint32_t count)
{
    uint32_t seen = 0, expected = 0;

    for (uint32_t n = slots_first(s); n; n = slots_after(s, hash(NULL, n), n)) {
        assert_true(n < count && there[n]);
        seen++;
    }
    for (uint32_t n = 1; n < count; n++) {
        expected += there[n];
        assert_int_equal(has(s, hash(NULL, n), n), there[n]);
    }
    assert_int_equal(seen, expected);
    assert_int_equal(s->used, expected);
}

static void at_random(slots_hash *hash, uint32_t count, unsigned changes)
{
    bool *there = calloc(count, sizeof(*there));
    struct slots s = { 0 };
    unsigned seed = 4711;

    assert_non_null(there);
    for (unsigned i = 0; i < changes; i++) {
        uint32_t n = 1 + (uint32_t)rand_r(&seed) % (count - 1);

        if (there[n])
            slots_remove(&s, hash(NULL, n), n);
        else
            add(&s, hash, n);
        there[n] = !there[n];
        slots_remove(&s, hash(NULL, count + n), count + n); /* what is not there */
        if (i % (changes / 8) == 0)
            assert_all(&s, hash, there, count);
    }
    assert_all(&s, hash, there, count);
    for (uint32_t n = 1; n < count; n++)
        slots_remove(&s, hash(NULL, n), n);
    assert_int_equal(s.used, 0);
    assert_int_equal(slots_first(&s), 0);
    slots_done(&s);
    free(there);
}

static void few(void **state)
{
    (void)state;
    for (uint32_t count = 2; count <= SLOTS_FEW + 6; count++)
        at_random(spread, count, 2000);
}

static void many(void **state)
{
    (void)state;
    at_random(spread, MANY, 8 * MANY);
}

static void collisions(void **state)
{
    (void)state;
    at_random(collide, 300, 6000);
}

static void stays_small(void **state)
{
    struct slots s = { 0 };
    uint32_t size;

    (void)state;
    for (uint32_t n = 1; n <= MANY; n++)
        add(&s, spread, n);
    assert_true(s.size <= MANY * 3 / 2);
    for (uint32_t n = 1; n <= MANY; n++) /* as many come as go */
        slots_remove(&s, spread(NULL, n), n), add(&s, spread, MANY + n);
    size = s.size;
    for (uint32_t n = 1; n <= 40 * MANY; n++)
        slots_remove(&s, spread(NULL, MANY + n), MANY + n), add(&s, spread, 2 * MANY + n);
    assert_int_equal(s.size, size);
    for (uint32_t n = 1; n < MANY; n++)
        slots_remove(&s, spread(NULL, 41 * MANY + n), 41 * MANY + n);
    for (uint32_t n = 1; n <= MANY; n++) /* few are left: the table follows them */
        add(&s, spread, n), slots_remove(&s, spread(NULL, n), n);
    assert_true(s.size <= 64);
    slots_done(&s);
}

static void great_numbers(void **state)
{
    struct slots s = { 0 };

    (void)state;
    for (uint32_t n = 1; n < 31; n++)
        add(&s, spread, (1u << n) - 1);
    for (uint32_t n = 1; n < 31; n++)
        assert_true(has(&s, spread(NULL, (1u << n) - 1), (1u << n) - 1));
    assert_true(slots_reserve(&s, UINT32_MAX, spread, NULL) < 0);
    slots_done(&s);
}

/* What was expected fits without the table being made anew; what did not come takes no room in the end. */
static void expects(void **state)
{
    bool *there = calloc(MANY + 200, sizeof(*there));
    struct slots s = { 0 };
    const uint32_t *at;

    (void)state;
    for (uint32_t n = 1; n <= 100; n++)
        add(&s, spread, n), there[n] = true;
    slots_expect(&s, MANY, MANY + 100, spread, NULL);
    at = s.at;
    for (uint32_t n = 101; n <= MANY + 100; n++)
        add(&s, spread, n), there[n] = true;
    assert_ptr_equal(s.at, at);
    assert_all(&s, spread, there, MANY + 200);
    slots_settle(&s, spread, NULL);
    assert_ptr_equal(s.at, at);
    for (uint32_t n = 101; n <= MANY + 100; n++)
        slots_remove(&s, spread(NULL, n), n), there[n] = false;
    slots_expect(&s, MANY, 2 * MANY, spread, NULL);
    assert_all(&s, spread, there, MANY + 200);
    slots_settle(&s, spread, NULL);
    assert_true(s.size <= 200);
    assert_all(&s, spread, there, MANY + 200);
    slots_expect(&s, UINT32_MAX - 50, 1000, spread, NULL); /* more than there can be: nothing happens */
    assert_true(s.size <= 200);
    slots_done(&s);
    free(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few),
        cmocka_unit_test(many),
        cmocka_unit_test(collisions),
        cmocka_unit_test(stays_small),
        cmocka_unit_test(great_numbers),
        cmocka_unit_test(expects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
