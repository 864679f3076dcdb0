/* SPDX-License-Identifier: MIT */
/* The process table is bounded, whatever processes do. */
#include "test.h"
#include "process_play.h"

#include "util/limits.h"

/* Of those that it was the first is kept, and the newest; records that others hold stay as they are. */
static void images_are_bounded(void **state)
{
    struct process *held = NULL;
    char name[32];

    (void)state;
    fork_(10 * SECOND, 50, 1);
    for (unsigned i = 0; i < 1000; i++) {
        struct process *p;
        unsigned count = 0;

        snprintf(name, sizeof(name), "/bin/%u", i);
        exec_captured((11 + i) * SECOND, 50, 10 * SECOND, name);
        p = at(50, (11 + i) * SECOND);
        assert_bytes(p->executable, name);
        if (i > 0) {
            snprintf(name, sizeof(name), "/bin/%u", i - 1);
            assert_bytes(p->earlier->executable, name);
            assert_int_equal(p->earlier->parent->pid, 1);
        }
        for (const struct process *e = p; e; e = e->earlier) {
            count++;
            if (!e->earlier)
                assert_bytes(e->executable, "/bin/0");
        }
        assert_in_range(count, 1, PROCESS_IMAGES);
        if (i == 500)
            held = process_ref(p);
    }
    assert_bytes(held->earlier->executable, "/bin/499");
    process_unref(held);
}

/* Of those that ended long ago nothing is reported any more. */
static void the_long_gone_are_forgotten(void **state)
{
    size_t before = remembered();

    (void)state;
    for (int i = 0; i < 100; i++) {
        fork_(10 * SECOND, 100 + i, 1);
        feed(PROCESS_EXIT, 11 * SECOND, 100 + i, 0, NULL);
    }
    assert_int_equal(remembered(), before + 100);
    assert_non_null(at(150, 10 * SECOND + SECOND / 2));
    fork_(30 * SECOND, 300, 1);
    feed(PROCESS_EXIT, 31 * SECOND, 300, 0, NULL);
    assert_int_equal(remembered(), before + 1);
}

/* ---- bounds ---- */

static unsigned depth_of(const struct process *p)
{
    unsigned n = 0;

    for (; p; p = p->parent)
        n++;
    return n;
}

/* A daemon that is its own grandchild again and again. */
static void endless_chain_is_cut(void **state)
{
    int pid = 2, parent = 1;

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        pid = 2 + (int)(i % 30000);
        fork_(10 * SECOND + i * 1000, pid, parent);
        if (i)
            feed(PROCESS_EXIT, 10 * SECOND + i * 1000 + 10, parent, 0, NULL);
        parent = pid;
    }
    assert_true(depth_of(at(pid, 20 * SECOND)) >= LIMIT_LINEAGE);
    assert_true(depth_of(at(pid, 20 * SECOND)) <= 2 * LIMIT_LINEAGE);
}

/* Somebody's deep nest must not take their launchers away from others. */
static void deep_nest_cuts_nobody_else(void **state)
{
    int parent = 50;

    (void)state;
    fork_(10 * SECOND, 50, 1);
    fork_(10 * SECOND, 51, 50); /* an innocent child of the same shell */
    for (int i = 0; i < 200; i++) {
        fork_(11 * SECOND + (uint64_t)i, 100 + i, parent);
        parent = 100 + i;
    }
    assert_int_equal(depth_of(at(51, 12 * SECOND)), 3);
    assert_int_equal(at(51, 12 * SECOND)->parent->parent->pid, 1);
    assert_true(depth_of(at(parent, 12 * SECOND)) >= LIMIT_LINEAGE);
}

static void endless_execs_are_bounded(void **state)
{
    (void)state;
    fork_(10 * SECOND, 50, 1);
    for (unsigned i = 0; i < 1000; i++)
        exec_captured(11 * SECOND + i * SECOND, 50, 10 * SECOND, i % 2 ? "/bin/odd" : "/bin/even");
    assert_bytes(at(50, 2000 * SECOND)->executable, "/bin/odd");
    assert_bytes(at(50, 11 * SECOND + 998 * SECOND + 1)->executable, "/bin/even");
    assert_null(at(50, 12 * SECOND)); /* forgotten, not guessed */
    assert_int_equal(remembered(), 2);
}

/* Ends that are never reported (the tracker's notifications got lost) must not fill the memory. */
static void living_are_bounded(void **state)
{
    (void)state;
    fake_start(&(struct fake_process){ .pid = 50, .parent = 1, .start_ticks = 1000, .executable = A });
    assert_non_null(at(50, 11 * SECOND));
    for (int i = 0; i < LIMIT_PROCESSES + 5000; i++)
        fork_(12 * SECOND + (uint64_t)i, 100 + i, 1);
    assert_true(remembered() <= LIMIT_PROCESSES + 1);
    assert_bytes(at(50, 13 * SECOND)->executable, A); /* who lives is kept */
    assert_non_null(at(100 + LIMIT_PROCESSES + 4999, 13 * SECOND));
}

static int count_one(void *data, struct process *p)
{
    (void)p;
    return ++*(unsigned *)data == 2 ? 42 : 0;
}

static void each_gives_the_living(void **state)
{
    unsigned n = 0;

    (void)state;
    fork_(10 * SECOND, 50, 1);
    fork_(10 * SECOND, 51, 1);
    exit_(11 * SECOND, 50);
    exit_(11 * SECOND, 51);
    assert_int_equal(process_table_each(table, count_one, &n), 0);
    assert_int_equal(n, 1);
    fork_(12 * SECOND, 52, 1);
    n = 0;
    assert_int_equal(process_table_each(table, count_one, &n), 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(images_are_bounded),
        TEST(the_long_gone_are_forgotten),
        TEST(endless_chain_is_cut),
        TEST(deep_nest_cuts_nobody_else),
        TEST(endless_execs_are_bounded),
        TEST(living_are_bounded),
        TEST(each_gives_the_living),
    };
    int failed;

    if (!mkdtemp(fake_proc))
        return 99;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    fake_remove(fake_proc);
    return failed;
}
