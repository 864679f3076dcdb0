/* SPDX-License-Identifier: MIT */
/* Records that wait for a container: the newest are kept, what gave way is counted while it matters. */
#include "test.h"

#include "sensor/audit/startup.h"
#include "util/limits.h"

#define BODY 4000

static char body[BODY];

static void add(struct startup_buffer *startup, uint64_t serial, uint64_t now_ms)
{
    struct audit_record record = { .serial = serial, .body = { body, BODY } };
    struct audit_group group = { .serial = serial, .records = &record, .count = 1 };

    audit_startup_add(startup, &group, now_ms);
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
    struct startup_buffer *startup = startup_buffer_new(LIMIT_AUDIT_STARTUP);
    struct seen all = { 0 }, taken = { .claims = true }, none = { 0 };
    const uint64_t many = 2 * LIMIT_AUDIT_STARTUP / BODY;

    (void)state;
    for (uint64_t i = 1; i <= many; i++)
        add(startup, i, 1000000 + i * 1000); /* one a second: what gives way is old */
    audit_startup_replay(startup, see, &all);
    assert_int_equal(all.last, many);
    assert_true(all.count > LIMIT_AUDIT_STARTUP / BODY / 2 && all.count < many);
    assert_int_equal(startup_buffer_take_lost(startup, 1000000 + many * 1000), 0);
    audit_startup_replay(startup, see, &taken); /* not claimed before: still there, in order */
    assert_int_equal(taken.count, all.count);
    audit_startup_replay(startup, see, &none);
    assert_int_equal(none.count, 0);
    startup_buffer_free(startup);
}

static void counts_the_young(void **state)
{
    struct startup_buffer *startup = startup_buffer_new(LIMIT_AUDIT_STARTUP);
    struct seen all = { 0 };
    const uint64_t many = 2 * LIMIT_AUDIT_STARTUP / BODY;

    (void)state;
    for (uint64_t i = 1; i <= many; i++)
        add(startup, i, 1000000);
    audit_startup_replay(startup, see, &all);
    assert_int_equal(startup_buffer_take_lost(startup, 1000000), many - all.count);
    assert_int_equal(startup_buffer_take_lost(startup, 1000000), 0); /* emitted once */
    for (uint64_t i = 1; i <= many; i++)
        add(startup, i, 1000001);
    assert_int_equal(startup_buffer_take_lost(startup, 1000001 + 60000), 0); /* nobody came in that time */
    startup_buffer_clear(startup);
    add(startup, 7, 2000000);
    all = (struct seen){ .claims = true };
    audit_startup_replay(startup, see, &all);
    assert_int_equal(all.count, 1);
    assert_int_equal(all.last, 7);
    startup_buffer_free(startup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_newest),
        cmocka_unit_test(counts_the_young),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
