/* SPDX-License-Identifier: MIT */
/* Records that wait for a container: the newest are kept, what gave way is counted while it matters. */
#include "test.h"

#include "sensor/audit/held.h"
#include "util/limits.h"

#define BODY 4000

static char body[BODY];

static void add(struct startup_buffer *held, uint64_t serial, uint64_t now_ms)
{
    struct audit_record record = { .serial = serial, .body = { body, BODY } };
    struct audit_group group = { .serial = serial, .records = &record, .count = 1 };

    audit_held_add(held, &group, now_ms);
}

struct seen {
    uint64_t first, last, count;
    bool claims;
};

static bool see(void *data, const struct audit_group *group)
{
    struct seen *s = data;

    assert_int_equal(group->records[0].body.len, BODY);
    if (s->count++ == 0)
        s->first = group->serial;
    else
        assert_int_equal(group->serial, s->last + 1);
    s->last = group->serial;
    return s->claims;
}

static void keeps_the_newest(void **state)
{
    struct startup_buffer *held = startup_buffer_new(LIMIT_AUDIT_HELD);
    struct seen all = { 0 }, taken = { .claims = true }, none = { 0 };
    const uint64_t many = 2 * LIMIT_AUDIT_HELD / BODY;

    (void)state;
    for (uint64_t i = 1; i <= many; i++)
        add(held, i, 1000000 + i * 1000); /* one a second: what gives way is old */
    audit_held_replay(held, see, &all);
    assert_int_equal(all.last, many);
    assert_true(all.count > LIMIT_AUDIT_HELD / BODY / 2 && all.count < many);
    assert_int_equal(startup_buffer_take_lost(held, 1000000 + many * 1000), 0);
    audit_held_replay(held, see, &taken); /* not claimed before: still there, in order */
    assert_int_equal(taken.count, all.count);
    audit_held_replay(held, see, &none);
    assert_int_equal(none.count, 0);
    startup_buffer_free(held);
}

static void counts_the_young(void **state)
{
    struct startup_buffer *held = startup_buffer_new(LIMIT_AUDIT_HELD);
    struct seen all = { 0 };
    const uint64_t many = 2 * LIMIT_AUDIT_HELD / BODY;

    (void)state;
    for (uint64_t i = 1; i <= many; i++)
        add(held, i, 1000000);
    audit_held_replay(held, see, &all);
    assert_int_equal(startup_buffer_take_lost(held, 1000000), many - all.count);
    assert_int_equal(startup_buffer_take_lost(held, 1000000), 0); /* told once */
    for (uint64_t i = 1; i <= many; i++)
        add(held, i, 1000001);
    assert_int_equal(startup_buffer_take_lost(held, 1000001 + 60000), 0); /* nobody came in that time */
    startup_buffer_clear(held);
    add(held, 7, 2000000);
    all = (struct seen){ .claims = true };
    audit_held_replay(held, see, &all);
    assert_int_equal(all.count, 1);
    assert_int_equal(all.last, 7);
    startup_buffer_free(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_newest),
        cmocka_unit_test(counts_the_young),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
