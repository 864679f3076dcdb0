/* SPDX-License-Identifier: MIT */
/* Watches are exchanged while they are in force. */
#include "test.h"
#include "watch_play.h"

#include <stdlib.h>

#include "watch/change.h"

/* ---- watches are exchanged ---- */

/* The watches become these; "PATH" or "PATH KEY". */
static int change(const char *const *texts, struct watchset_difference *ret)
{
    struct plan_ask asks[8];
    struct plan plan;
    size_t n = 0;

    for (; texts[n]; n++) {
        struct bytes rest = bytes_of(texts[n]);

        asks[n].text = bytes_next_field(&rest, ' ');
        asks[n].key = rest;
        asks[n].permissions = PERMISSION_WRITE | PERMISSION_ATTR;
    }
    assert_int_equal(plan_make(asks, n, &plan, NULL), 0);
    return watchset_change(set, &plan, ret, NULL);
}

#define CHANGE(d, ...) change((const char *const[]){ __VA_ARGS__, NULL }, d)
#define NOW clock_ns(CLOCK_REALTIME)
#define LATER (NOW + 10 * NS_PER_S)

static void change_keeps_what_stays(void **state)
{
    struct watchset_difference d;
    uint32_t id;

    (void)state;
    assert_int_equal(CHANGE(&d, "/x/a one", "/x/b two"), 0);
    assert_int_equal(d.added, 2);
    id = seen.objects[0].id;
    assert_int_equal(CHANGE(&d, "/x/b two", "/x/a other", "/x/a/in inner"), 0);
    assert_int_equal(d.kept, 2);
    assert_int_equal(d.added + d.ended, 0);
    assert_int_equal(seen.objects[0].id, id); /* not touched, and its words are the new ones */
    assert_int_equal(living(), 2);
    assert_false(watchset_is_changing(set));
    assert_int_equal(reported("/x/a/f", NOW, "other"), 1);
    assert_int_equal(reported("/x/a/in/f", NOW, "inner"), 1);
    assert_bytes(watchset_text(set), "/x/a /x/b");
}

static void change_hands_over(void **state)
{
    struct watchset_difference d;

    (void)state;
    assert_int_equal(CHANGE(&d, "/x/a/in inner"), 0);
    assert_int_equal(CHANGE(&d, "/x/a outer", "/x/a/in inner"), 0); /* an outer one comes */
    assert_int_equal(d.added, 1);
    assert_int_equal(d.ended, 1);
    assert_int_equal(living(), 2); /* both are armed */
    assert_true(watchset_is_changing(set));
    assert_false(watchset_change_is_read(set, NOW)); /* where events never stop, that is when it ends */
    assert_true(watchset_change_is_read(set, LATER));
    assert_int_equal(reported("/x/a/in/f", NOW, "inner"), 1);
    assert_int_equal(reported("/x/a/in/f", LATER, "inner"), 1);
    assert_int_equal(reported("/x/a/f", NOW, "outer"), 1); /* what nobody reported before is reported at once */
    assert_int_equal(reported("/x/a/f", LATER, "outer"), 1);
    for (uint64_t t = NOW; t < LATER; t += NS_PER_MS) /* always by one of them */
        assert_int_equal(reported("/x/a/in/f", t, "inner"), 1);
    assert_int_equal(CHANGE(&d, "/x/b"), -EBUSY);
    assert_bytes(watchset_text(set), "/x/a");
}

static void change_takes_what_only_comes(void **state)
{
    struct watchset_difference d;

    (void)state;
    assert_int_equal(CHANGE(&d, "/x/a/in inner", "/x/b b"), 0);
    assert_int_equal(CHANGE(&d, "/x/a/in inner"), 0); /* one goes: the change takes its time */
    assert_true(watchset_is_changing(set));
    assert_int_equal(CHANGE(&d, "/x/a/in inner", "/x/c c"), 0);
    assert_int_equal(d.added, 1);
    assert_int_equal(d.kept, 1);
    assert_int_equal(d.ended, 0);
    assert_int_equal(reported("/x/c/f", NOW, "c"), 1); /* seen at once */
    assert_int_equal(CHANGE(&d, "/x/a/in inner"), -EBUSY);
    assert_int_equal(CHANGE(&d, "/x/a/in inner", "/x/c c", "/x/b b"), 0); /* what is going comes back */
    for (uint64_t t = NOW; t < LATER; t += NS_PER_MS) /* by one of the two */
        assert_int_equal(reported("/x/b/f", t, "b"), 1);
    assert_bytes(watchset_text(set), "/x/a/in /x/c /x/b");
}

static void change_ends_what_goes(void **state)
{
    struct watchset_difference d;

    (void)state;
    assert_int_equal(CHANGE(&d, "/x/a outer", "/x/a/in inner"), 0);
    assert_int_equal(CHANGE(&d, "/x/a/in inner"), 0); /* the outer one goes */
    for (uint64_t t = NOW; t < LATER; t += NS_PER_MS)
        assert_int_equal(reported("/x/a/in/f", t, "inner"), 1);
    assert_int_equal(reported("/x/a/f", NOW, "outer"), 1);
    assert_int_equal(reported("/x/a/f", LATER, "outer"), 0);
    for (int i = 0; i < 100 && watchset_is_changing(set); i++) {
        watchset_change_finish(set);
        usleep(100 * 1000);
    }
    assert_false(watchset_is_changing(set));
    assert_int_equal(living(), 1);
    assert_int_equal(reported("/x/a/in/f", NOW, "inner"), 1);
    assert_int_equal(reported("/x/a/f", NOW, "outer"), 0);
    assert_int_equal(CHANGE(&d, "/x/c"), 0);
}

static void change_fails_as_a_whole(void **state)
{
    struct watchset_difference d;

    (void)state;
    assert_int_equal(CHANGE(&d, "/x/a one"), 0);
    seen.add_error = -EOPNOTSUPP;
    assert_int_equal(CHANGE(&d, "/x/a other", "/x/b two"), -EOPNOTSUPP);
    assert_int_equal(d.failed_ask, 1);
    assert_int_equal(living(), 1);
    assert_false(watchset_is_changing(set));
    assert_bytes(watchset_text(set), "/x/a");
    assert_int_equal(reported("/x/a/f", NOW, "one"), 1); /* its key too is the old one */
    seen.add_error = 0;
    assert_int_equal(CHANGE(&d, "/x/a other", "/x/b two"), 0);
    assert_int_equal(d.kept, 1);
    assert_int_equal(reported("/x/a/f", NOW, "other"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(change_keeps_what_stays),
        TEST(change_hands_over),
        TEST(change_takes_what_only_comes),
        TEST(change_ends_what_goes),
        TEST(change_fails_as_a_whole),
    };
    int failed;

    if (!mkdtemp(base))
        return 99;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    end_play();
    return rmdir(base) < 0 ? 98 : failed;
}
